#include "pickle_reader.hpp"

#include <cstdio>

#include "file.hpp"

namespace mixop::cifar {
namespace {

// A published file has some 200,000 opcodes; this bounds the nodes, the stack and the memo together.
constexpr std::size_t kMaxOpcodes = 2'000'000;
constexpr std::size_t kMaxMarks = 16;
constexpr std::size_t kMaxLine = 64;

// Opcodes of protocols 2 to 4, as Python's pickletools names them.
enum Opcode : std::uint8_t {
  kMark = '(',
  kStop = '.',
  kEmptyTuple = ')',
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
  kShortBinUnicode = 0x8c,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
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
  op_ = static_cast<std::uint8_t>(take(1)[0]);
  if (op_ != kProto) fail("expected a pickle of protocol 2 to 4, which starts with 0x80; this is no CIFAR batch");
  const std::uint64_t protocol = little_endian(1);
  if (protocol < 2 || protocol > 4) fail("expected pickle protocol 2 to 4, found " + std::to_string(protocol));
  for (std::size_t count = 0; count < kMaxOpcodes; ++count) {
    op_offset_ = offset_;
    op_ = static_cast<std::uint8_t>(take(1)[0]);
    if (op_ == kStop) {
      const std::uint32_t top = pop();
      if (!stack_.empty() || !marks_.empty()) fail("the pickle ends with values left over");
      if (offset_ != bytes_.size()) fail(std::to_string(bytes_.size() - offset_) + " bytes follow the pickle's end");
      return top;
    }
    if (!scalar(op_) && !text(op_) && !container(op_) && !memo(op_) && !object(op_))
      fail("this opcode does not occur in CIFAR batches and is not read; use the published files");
  }
  fail("more than " + std::to_string(kMaxOpcodes) + " opcodes; a CIFAR batch has fewer");
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
  }
  return false;
}

bool PickleReader::text(std::uint8_t op) {
  switch (op) {
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
    case kTuple: {
      std::vector<std::uint32_t> items = pop_to_mark();
      push(make(Kind::tuple));
      nodes_.back().items = std::move(items);
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
      const std::string_view module = line();
      push_global(module, line());
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

std::string_view PickleReader::line() {
  const std::string_view rest(reinterpret_cast<const char*>(bytes_.data()) + offset_, bytes_.size() - offset_);
  const std::size_t length = rest.substr(0, kMaxLine).find('\n');
  if (length == std::string_view::npos) fail("a name of more than " + std::to_string(kMaxLine) + " characters");
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
  const bool numpy_class = module == "numpy" && (name == "ndarray" || name == "dtype");
  // numpy 2 writes its private module's new name.
  const bool private_module = module == "numpy.core.multiarray" || module == "numpy._core.multiarray";
  const bool maker = private_module && name == "_reconstruct";
  if (!numpy_class && !maker)
    fail("it names '" + printable(module) + " " + printable(name) +
         "'; only numpy's ndarray, dtype and _reconstruct are understood, and nothing is executed");
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
  const auto kind_of = [&](std::size_t i) { return nodes_[arguments[i]].kind; };
  if (callee == "_reconstruct" && arguments.size() == 3 && kind_of(0) == Kind::global &&
      nodes_[arguments[0]].text == "ndarray" && kind_of(1) == Kind::tuple && nodes_[arguments[1]].items.size() == 1 &&
      is_integer(nodes_[arguments[1]].items[0], 0) && kind_of(2) == Kind::text) {
    push(make(Kind::array));
  } else if (callee == "dtype" && arguments.size() == 3 && kind_of(0) == Kind::text) {
    push(make(Kind::array_type, 0, nodes_[arguments[0]].text));
  } else {
    fail("numpy's " + std::string(callee) + " is called in another way than a pickled array does");
  }
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
