#include "pickle_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include "file.hpp"
#include "pickle_text.hpp"

namespace mixop::cifar {
namespace {

// A published file has some 200,000 opcodes; this bounds the nodes, the stack and the memo together.
constexpr std::size_t kMaxOpcodes = 2'000'000;
constexpr std::size_t kMaxMarks = 16;
constexpr std::size_t kMaxLine = 64;
constexpr std::int64_t kRawEscapes = 1;  // of a text: it is in raw-unicode-escape

// Opcodes of protocols 0 to 5, as Python's pickletools names them.
enum Opcode : std::uint8_t {
  kMark = '(',
  kStop = '.',
  kEmptyTuple = ')',
  kInt = 'I',
  kLong = 'L',
  kString = 'S',
  kUnicode = 'V',
  kDict = 'd',
  kList = 'l',
  kGet = 'g',
  kPut = 'p',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kReduce = 'R',
  kBinString = 'T',
  kShortBinString = 'U',
  kBinUnicode = 'X',
  kEmptyList = ']',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kEmptyDict = '}',
  kProto = 0x80,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kBinBytes8 = 0x8e,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
  kByteArray8 = 0x96,
};

}  // namespace

void PickleReader::fail(const std::string& what) const {
  char where[64];
  const bool shown = op_ > ' ' && op_ < 0x7f;
  std::snprintf(where, sizeof where,
                shown ? "offset %zu, opcode 0x%02x '%c': " : "offset %zu, opcode 0x%02x: ", op_offset_, op_, op_);
  refuse(path_, where + what);
}

std::uint32_t PickleReader::read() {
  read_protocol();
  for (std::size_t count = 0; count < kMaxOpcodes; ++count) {
    op_offset_ = offset_;
    op_ = static_cast<std::uint8_t>(take(1)[0]);
    if (op_ == kStop) {
      const std::uint32_t top = pop();
      if (!stack_.empty() || !marks_.empty()) fail("the pickle ends with values left over");
      if (offset_ != bytes_.size()) fail(std::to_string(bytes_.size() - offset_) + " bytes follow the pickle's end");
      return top;
    }
    if (!scalar(op_) && !line_of_text(op_) && !text(op_) && !container(op_) && !memo(op_) && !object(op_))
      fail("this opcode does not occur in CIFAR batches and is not read; use the published files");
  }
  fail("more than " + std::to_string(kMaxOpcodes) + " opcodes; a CIFAR batch has fewer");
}

/// Protocols 0 and 1 do not say so, and begin with a dict.
void PickleReader::read_protocol() {
  op_ = static_cast<std::uint8_t>(take(1)[0]);
  offset_ = 0;
  if (op_ == kMark || op_ == kEmptyDict) return;
  if (op_ != kProto) fail("expected a pickle, which starts with 0x80, '(' or '}'; this is no CIFAR batch");
  take(1);
  const std::uint64_t protocol = little_endian(1);
  if (protocol > 5) fail("expected pickle protocol 0 to 5, found " + std::to_string(protocol));
}

bool PickleReader::scalar(std::uint8_t op) {
  switch (op) {
    case kNone:
      push(make(Kind::none));
      return true;
    case kNewTrue:
      push(make(Kind::boolean, 1));
      return true;
    case kNewFalse:
      push(make(Kind::boolean, 0));
      return true;
    case kBinInt1:
      push(make(Kind::integer, static_cast<std::int64_t>(little_endian(1))));
      return true;
    case kBinInt2:
      push(make(Kind::integer, static_cast<std::int64_t>(little_endian(2))));
      return true;
    case kBinInt:
      push(make(Kind::integer, static_cast<std::int32_t>(little_endian(4))));
      return true;
    case kLong1:
      push_long(little_endian(1));
      return true;
    case kInt:
      push_int();
      return true;
    case kLong: {
      const std::string_view digits = line(kMaxLine);
      push(make(Kind::integer, decimal(digits.substr(0, digits.size() - (digits.ends_with('L') ? 1 : 0)))));
      return true;
    }
  }
  return false;
}

/// "I01" and "I00" are True and False.
void PickleReader::push_int() {
  const std::string_view digits = line(kMaxLine);
  if (digits == "01" || digits == "00")
    push(make(Kind::boolean, digits == "01" ? 1 : 0));
  else
    push(make(Kind::integer, decimal(digits)));
}

/// A two's complement of that many bytes.
void PickleReader::push_long(std::uint64_t bytes) {
  if (bytes > 8) fail("an integer of " + std::to_string(bytes) + " bytes, at most 8 are read");
  std::uint64_t value = little_endian(static_cast<int>(bytes));
  if (bytes > 0 && bytes < 8 && (value >> (8 * bytes - 1)) != 0) value |= ~std::uint64_t{0} << (8 * bytes);
  push(make(Kind::integer, static_cast<std::int64_t>(value)));
}

std::int64_t PickleReader::decimal(std::string_view digits) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failure != std::errc{} || end != digits.data() + digits.size())
    fail("expected an integer of 64 bits, found '" + printable(digits) + "'");
  return value;
}

/// Texts that end with their line, of protocol 0.
bool PickleReader::line_of_text(std::uint8_t op) {
  if (op == kUnicode) {
    push(make(Kind::text, kRawEscapes, line(bytes_.size())));
    return true;
  }
  if (op == kString) push_decoded(unquoted(line(bytes_.size())));
  return op == kString;
}

/// The texts of a file decode to fewer bytes than it has, unless one is decoded again and again.
void PickleReader::push_decoded(std::optional<std::string> text) {
  if (!text) fail("a text that is not written as Python writes one");
  decoded_bytes_ += text->size();
  if (decoded_bytes_ > bytes_.size()) fail("its texts decode to more bytes than the file has");
  decoded_.push_back(std::move(*text));
  push(make(Kind::text, 0, decoded_.back()));
}

bool PickleReader::text(std::uint8_t op) {
  switch (op) {
    case kBinUnicode8:
    case kBinBytes8:
    case kByteArray8:
      push(make(Kind::text, 0, take(little_endian(8))));
      return true;
    case kShortBinString:
    case kShortBinBytes:
    case kShortBinUnicode:
      push(make(Kind::text, 0, take(little_endian(1))));
      return true;
    case kBinString:
    case kBinBytes:
    case kBinUnicode:
      push(make(Kind::text, 0, take(little_endian(4))));
      return true;
  }
  return false;
}

bool PickleReader::container(std::uint8_t op) {
  switch (op) {
    case kMark:
      if (marks_.size() == kMaxMarks) fail("nested deeper than " + std::to_string(kMaxMarks) + " levels");
      marks_.push_back(stack_.size());
      return true;
    case kEmptyDict:
      push(make(Kind::dict));
      return true;
    case kEmptyList:
      push(make(Kind::list));
      return true;
    case kEmptyTuple:
      pop_tuple(0);
      return true;
    case kTuple1:
      pop_tuple(1);
      return true;
    case kTuple2:
      pop_tuple(2);
      return true;
    case kTuple3:
      pop_tuple(3);
      return true;
    case kTuple:
    case kList:
    case kDict: {
      std::vector<std::uint32_t> items = pop_to_mark();
      push(make(op == kTuple ? Kind::tuple : op == kList ? Kind::list : Kind::dict));
      op == kDict ? add_items(Kind::dict, std::move(items)) : (void)(nodes_.back().items = std::move(items));
      return true;
    }
    case kAppend:
      add_items(Kind::list, {pop()});
      return true;
    case kAppends:
      add_items(Kind::list, pop_to_mark());
      return true;
    case kSetItem: {
      const std::uint32_t value = pop();
      add_items(Kind::dict, {pop(), value});
      return true;
    }
    case kSetItems:
      add_items(Kind::dict, pop_to_mark());
      return true;
  }
  return false;
}

bool PickleReader::memo(std::uint8_t op) {
  switch (op) {
    case kBinPut:
      remember(little_endian(1));
      return true;
    case kLongBinPut:
      remember(little_endian(4));
      return true;
    case kPut:
      remember(static_cast<std::uint64_t>(decimal(line(kMaxLine))));
      return true;
    case kGet:
      recall(static_cast<std::uint64_t>(decimal(line(kMaxLine))));
      return true;
    case kMemoize:
      remember(memo_.size());
      return true;
    case kBinGet:
      recall(little_endian(1));
      return true;
    case kLongBinGet:
      recall(little_endian(4));
      return true;
    case kFrame:
      if (little_endian(8) > bytes_.size() - offset_) fail("a frame is longer than the rest of the file");
      return true;
  }
  return false;
}

bool PickleReader::object(std::uint8_t op) {
  switch (op) {
    case kGlobal: {
      const std::string_view module = line(kMaxLine);
      push_global(module, line(kMaxLine));
      return true;
    }
    case kStackGlobal: {
      const std::uint32_t name = top_of(Kind::text, "a name");
      pop();
      const std::uint32_t module = top_of(Kind::text, "a module's name");
      pop();
      push_global(nodes_[module].text, nodes_[name].text);
      return true;
    }
    case kReduce:
      reduce();
      return true;
    case kBuild:
      build();
      return true;
  }
  return false;
}

std::string_view PickleReader::take(std::uint64_t count) {
  const std::size_t left = bytes_.size() - offset_;
  if (count > left)
    fail("the file ends early: " + std::to_string(count) + " bytes expected at offset " + std::to_string(offset_) +
         ", found " + std::to_string(left));
  const std::string_view taken(reinterpret_cast<const char*>(bytes_.data()) + offset_, static_cast<std::size_t>(count));
  offset_ += static_cast<std::size_t>(count);
  return taken;
}

std::uint64_t PickleReader::little_endian(int width) {
  std::uint64_t value = 0;
  int shift = 0;
  for (const char byte : take(static_cast<std::uint64_t>(width))) {
    value |= std::uint64_t{static_cast<std::uint8_t>(byte)} << shift;
    shift += 8;
  }
  return value;
}

std::string_view PickleReader::line(std::size_t longest) {
  const std::string_view rest(reinterpret_cast<const char*>(bytes_.data()) + offset_, bytes_.size() - offset_);
  const std::size_t length = rest.substr(0, longest).find('\n');
  if (length == std::string_view::npos)
    fail(rest.size() < longest ? "the file ends within a line"
                               : "a name of more than " + std::to_string(longest) + " characters");
  return take(length + 1).substr(0, length);
}

std::uint32_t PickleReader::make(Kind kind, std::int64_t number, std::string_view text) {
  nodes_.push_back({kind, number, text, {}});
  return static_cast<std::uint32_t>(nodes_.size() - 1);
}

std::uint32_t PickleReader::pop() {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) fail("a value is missing on the stack");
  const std::uint32_t node = stack_.back();
  stack_.pop_back();
  return node;
}

std::uint32_t PickleReader::top_of(Kind kind, const char* expected) const {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back()) || nodes_[stack_.back()].kind != kind)
    fail(std::string("expected ") + expected + " on the stack");
  return stack_.back();
}

std::vector<std::uint32_t> PickleReader::pop_to_mark() {
  if (marks_.empty()) fail("a mark is missing on the stack");
  const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<std::uint32_t> items(first, stack_.end());
  stack_.erase(first, stack_.end());
  marks_.pop_back();
  return items;
}

void PickleReader::pop_tuple(std::size_t count) {
  std::vector<std::uint32_t> items(count);
  while (count > 0) items[--count] = pop();
  push(make(Kind::tuple));
  nodes_.back().items = std::move(items);
}

void PickleReader::add_items(Kind kind, std::vector<std::uint32_t> items) {
  const bool dict = kind == Kind::dict;
  PickleNode& container = nodes_[top_of(kind, dict ? "a dict" : "a list")];
  if (dict && items.size() % 2 != 0) fail("a dict's key has no value");
  for (std::size_t i = 0; dict && i < items.size(); i += 2)
    if (nodes_[items[i]].kind != Kind::text) fail("a dict's key is no text");
  container.items.insert(container.items.end(), items.begin(), items.end());
}

void PickleReader::remember(std::uint64_t slot) {
  if (stack_.empty()) fail("nothing on the stack to remember");
  memo_[slot] = stack_.back();
}

void PickleReader::recall(std::uint64_t slot) {
  const auto found = memo_.find(slot);
  if (found == memo_.end()) fail("memo slot " + std::to_string(slot) + " holds nothing");
  push(found->second);
}

void PickleReader::push_global(std::string_view module, std::string_view name) {
  const auto any_of = [](std::string_view text, std::initializer_list<std::string_view> known) {
    return std::find(known.begin(), known.end(), text) != known.end();
  };
  // numpy 2 writes its private modules' new names.
  const bool known = (module == "numpy" && any_of(name, {"ndarray", "dtype"})) ||
                     (any_of(module, {"numpy.core.multiarray", "numpy._core.multiarray"}) &&
                      any_of(name, {"_reconstruct", "scalar"})) ||
                     (any_of(module, {"numpy.core.numeric", "numpy._core.numeric"}) && name == "_frombuffer") ||
                     (module == "_codecs" && name == "encode");
  if (!known)
    fail("it names '" + printable(module) + " " + printable(name) +
         "'; only numpy's arrays and integers are understood, and nothing is executed");
  push(make(Kind::global, 0, name));
}

bool PickleReader::is_integer(std::uint32_t node, std::int64_t value) const {
  return nodes_[node].kind == Kind::integer && nodes_[node].number == value;
}

void PickleReader::reduce() {
  const std::vector<std::uint32_t>& arguments = nodes_[top_of(Kind::tuple, "a tuple of arguments")].items;
  pop();
  const std::string_view callee = nodes_[top_of(Kind::global, "a numpy name to call")].text;
  pop();
  if (!reduce_array(callee, arguments) && !reduce_value(callee, arguments))
    fail((callee == "encode" ? "_codecs' " : "numpy's ") + std::string(callee) +
         " is called in another way than a pickled array does");
}

bool PickleReader::reduce_array(std::string_view callee, const std::vector<std::uint32_t>& arguments) {
  const auto kind_of = [&](std::size_t i) { return nodes_[arguments[i]].kind; };
  if (callee == "_reconstruct" && arguments.size() == 3 && kind_of(0) == Kind::global &&
      nodes_[arguments[0]].text == "ndarray" && kind_of(1) == Kind::tuple && nodes_[arguments[1]].items.size() == 1 &&
      is_integer(nodes_[arguments[1]].items[0], 0) && kind_of(2) == Kind::text) {
    push(make(Kind::array));
    return true;
  }
  if (callee != "_frombuffer" || arguments.size() != 4 || kind_of(0) != Kind::text || kind_of(3) != Kind::text)
    return false;
  // (bytes, dtype, shape, order) of protocol 5, as the state that the others give an array.
  const std::uint32_t version = make(Kind::integer, 1), order = make(Kind::boolean, nodes_[arguments[3]].text != "C");
  const std::uint32_t state = make(Kind::tuple);
  nodes_[state].items = {version, arguments[2], arguments[1], order, arguments[0]};
  push(make(Kind::array));
  nodes_.back().items = {state};
  return true;
}

bool PickleReader::reduce_value(std::string_view callee, const std::vector<std::uint32_t>& arguments) {
  const auto kind_of = [&](std::size_t i) { return nodes_[arguments[i]].kind; };
  if (callee == "dtype" && arguments.size() == 3 && kind_of(0) == Kind::text) {
    push(make(Kind::array_type, 0, nodes_[arguments[0]].text));
    return true;
  }
  if (callee == "encode" && arguments.size() == 2 && kind_of(0) == Kind::text && kind_of(1) == Kind::text &&
      nodes_[arguments[1]].text == "latin1") {
    push_decoded(latin1_of(nodes_[arguments[0]].text, nodes_[arguments[0]].number == kRawEscapes));
    return true;
  }
  if (callee != "scalar" || arguments.size() != 2 || kind_of(0) != Kind::array_type || kind_of(1) != Kind::text)
    return false;
  const auto type = integer_type(nodes_, nodes_[arguments[0]]);
  const std::string_view bytes = nodes_[arguments[1]].text;
  if (!type || bytes.size() != static_cast<std::size_t>(type->bytes)) return false;
  push(make(Kind::integer, type->value(bytes)));
  return true;
}

void PickleReader::build() {
  const std::uint32_t state = top_of(Kind::tuple, "a tuple of state");
  pop();
  PickleNode& object = nodes_[stack_.size() > (marks_.empty() ? 0 : marks_.back()) ? stack_.back() : state];
  if ((object.kind != Kind::array && object.kind != Kind::array_type) || !object.items.empty())
    fail("expected a new numpy array or dtype on the stack");
  object.items = {state};
}

}  // namespace mixop::cifar
