#include "host/weights/pickle.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_map>

#include "mixop/error.hpp"

namespace mixop {
namespace {

using Kind = PickleValue::Kind;
using Ref = PickleValue::Ref;

constexpr std::size_t kMostOpcodes = 1'000'000, kLongestName = 1024, kMostNames = std::size_t{4} << 20;

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& name, std::size_t begin)
      : bytes_(bytes), name_(name), begin_(begin) {}

  Pickle read() {
    for (std::size_t count = 0;; ++count) {
      place_ = next_;
      if (count == kMostOpcodes) refuse("more than " + std::to_string(kMostOpcodes) + " opcodes");
      const unsigned opcode = number<std::uint8_t>();
      if (opcode == '.') break;
      run(opcode);
    }
    pickle_.root = pop();
    if (!stack_.empty() || !marks_.empty()) refuse("STOP with other values on the stack");
    pickle_.end = next_;
    return std::move(pickle_);
  }

 private:
  [[noreturn]] void refuse(const std::string& how) const {
    throw Error(ErrorCode::bad_data, name_ + ": byte " + std::to_string(begin_ + place_) + ": " + how +
                                         "; expected a state dictionary as torch.save writes it");
  }

  std::string_view take(std::uint64_t size) {
    if (size > bytes_.size() - next_)
      refuse("asks for " + std::to_string(size) + " bytes and " + std::to_string(bytes_.size() - next_) + " are left");
    const std::string_view taken(reinterpret_cast<const char*>(bytes_.data()) + next_, static_cast<std::size_t>(size));
    next_ += static_cast<std::size_t>(size);
    return taken;
  }

  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

  /// Up to a line feed, which GLOBAL ends its two names with.
  std::string line() {
    const std::size_t begin = next_;
    while (next_ < bytes_.size() && bytes_[next_] != std::byte{'\n'}) ++next_;
    if (next_ == bytes_.size()) refuse("a name without an end");
    if (next_ - begin > kLongestName) refuse("a class's name of " + std::to_string(next_ - begin) + " bytes");
    const std::string text(reinterpret_cast<const char*>(bytes_.data()) + begin, next_ - begin);
    ++next_;
    return text;
  }

  PickleValue& make(Kind kind) {
    stack_.push_back(static_cast<Ref>(pickle_.values.size()));
    PickleValue& value = pickle_.values.emplace_back();
    value.kind = kind;
    return value;
  }

  void make_integer(std::int64_t value) { make(Kind::integer).integer = value; }
  void make_text(Kind kind, std::uint64_t size) { make(kind).text = take(size); }

  /// Two's complement, little endian; one of more than eight bytes, such as torch's magic number, is kept as its bytes.
  void make_long(std::uint64_t size) {
    const std::string_view digits = take(size);
    PickleValue& value = make(Kind::integer);
    value.text = digits;
    std::uint64_t bits =
        !digits.empty() && (static_cast<unsigned char>(digits.back()) & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    std::memcpy(&bits, digits.data(), std::min<std::size_t>(digits.size(), sizeof bits));
    value.integer = std::bit_cast<std::int64_t>(bits);
  }

  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  Ref pop() {
    if (stack_.size() <= floor()) refuse("takes a value where none is left");
    const Ref top = stack_.back();
    stack_.pop_back();
    return top;
  }

  Ref top() const {
    if (stack_.size() <= floor()) refuse("looks at a value where none is left");
    return stack_.back();
  }

  /// The values behind the last mark, which is gone.
  std::vector<Ref> pop_to_mark() {
    if (marks_.empty()) refuse("no mark is left");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Ref> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }

  void make_tuple(std::size_t count) {
    std::vector<Ref> items(count);
    for (std::size_t i = count; i-- > 0;) items[i] = pop();
    make(Kind::tuple).items = std::move(items);
  }

  /// Items for a list, a dict, or an object that behaves like one.
  void add(std::vector<Ref> items, Kind kind) {
    const Ref to = top();
    PickleValue& value = pickle_.values[to];
    if (value.kind != kind && value.kind != Kind::object) refuse("items for what is no list, dict or object");
    if (kind == Kind::dict && items.size() % 2 != 0) refuse("a key without a value");
    value.items.insert(value.items.end(), items.begin(), items.end());
  }

  void make_object(Ref callable, Ref arguments) {
    PickleValue& value = make(Kind::object);
    value.callable = callable;
    value.arguments = arguments;
  }

  void remember(std::uint32_t place) { memo_[place] = top(); }
  void recall(std::uint32_t place) {
    const auto found = memo_.find(place);
    if (found == memo_.end()) refuse("nothing was remembered as " + std::to_string(place));
    stack_.push_back(found->second);
  }

  void run(unsigned opcode);
  void run_structure(unsigned opcode);

  std::span<const std::byte> bytes_;
  const std::string& name_;
  std::size_t begin_, next_ = 0, place_ = 0, names_ = 0;
  Pickle pickle_;
  std::vector<Ref> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, Ref> memo_;
};

void Reader::run(unsigned opcode) {
  switch (opcode) {
    case 0x80:  // PROTO
      if (const unsigned protocol = number<std::uint8_t>(); protocol < 2 || protocol > 5)
        refuse("protocol " + std::to_string(protocol) + ", and 2 to 5 are read");
      return;
    case 0x95:
      (void)number<std::uint64_t>();
      return;  // FRAME
    case 'N':
      (void)make(Kind::none);
      return;
    case 0x88:
      make(Kind::boolean).integer = 1;
      return;  // NEWTRUE
    case 0x89:
      (void)make(Kind::boolean);
      return;  // NEWFALSE
    case 'J':
      return make_integer(number<std::int32_t>());  // BININT
    case 'K':
      return make_integer(number<std::uint8_t>());  // BININT1
    case 'M':
      return make_integer(number<std::uint16_t>());  // BININT2
    case 0x8a:
      return make_long(number<std::uint8_t>());  // LONG1
    case 0x8b:
      return make_long(number<std::uint32_t>());  // LONG4
    case 'G':                                     // BINFLOAT
      (void)number<std::uint64_t>();
      (void)make(Kind::real);
      return;
    case 'X':
      return make_text(Kind::text, number<std::uint32_t>());  // BINUNICODE
    case 0x8c:
      return make_text(Kind::text, number<std::uint8_t>());  // SHORT_BINUNICODE
    case 0x8d:
      return make_text(Kind::text, number<std::uint64_t>());  // BINUNICODE8
    case 'T':
      return make_text(Kind::text, number<std::uint32_t>());  // BINSTRING
    case 'U':
      return make_text(Kind::text, number<std::uint8_t>());  // SHORT_BINSTRING
    case 'B':
      return make_text(Kind::bytes, number<std::uint32_t>());  // BINBYTES
    case 'C':
      return make_text(Kind::bytes, number<std::uint8_t>());  // SHORT_BINBYTES
    case 0x8e:
      return make_text(Kind::bytes, number<std::uint64_t>());  // BINBYTES8
    default:
      run_structure(opcode);
  }
}

void Reader::run_structure(unsigned opcode) {
  switch (opcode) {
    case '(':
      marks_.push_back(stack_.size());
      return;  // MARK
    case '0':
      (void)pop();
      return;  // POP
    case '1':
      (void)pop_to_mark();
      return;  // POP_MARK
    case ']':
      (void)make(Kind::list);
      return;  // EMPTY_LIST
    case ')':
      (void)make(Kind::tuple);
      return;  // EMPTY_TUPLE
    case '}':
      (void)make(Kind::dict);
      return;  // EMPTY_DICT
    case 0x8f:
      (void)make(Kind::list);
      return;  // EMPTY_SET
    case 0x90:
      return add(pop_to_mark(), Kind::list);  // ADDITEMS
    case 't': {                               // TUPLE
      std::vector<Ref> items = pop_to_mark();
      make(Kind::tuple).items = std::move(items);
      return;
    }
    case 0x85:
      return make_tuple(1);  // TUPLE1
    case 0x86:
      return make_tuple(2);
    case 0x87:
      return make_tuple(3);
    case 'a': {  // APPEND
      const Ref item = pop();
      return add({item}, Kind::list);
    }
    case 'e':
      return add(pop_to_mark(), Kind::list);  // APPENDS
    case 's': {                               // SETITEM
      const Ref value = pop(), key = pop();
      return add({key, value}, Kind::dict);
    }
    case 'u':
      return add(pop_to_mark(), Kind::dict);  // SETITEMS
    case 'q':
      return remember(number<std::uint8_t>());  // BINPUT
    case 'r':
      return remember(number<std::uint32_t>());  // LONG_BINPUT
    case 0x94:
      return remember(static_cast<std::uint32_t>(memo_.size()));  // MEMOIZE
    case 'h':
      return recall(number<std::uint8_t>());  // BINGET
    case 'j':
      return recall(number<std::uint32_t>());  // LONG_BINGET
    case 'c': {                                // GLOBAL
      std::string module = line();
      make(Kind::global).text = std::move(module) + " " + line();
      return;
    }
    case 0x93: {  // STACK_GLOBAL
      const Ref name = pop(), module = pop();
      if (pickle_.at(name).kind != Kind::text || pickle_.at(module).kind != Kind::text)
        refuse("a class whose name is no text");
      if (const std::size_t longest = std::max(pickle_.at(name).text.size(), pickle_.at(module).text.size());
          longest > kLongestName)
        refuse("a class's name of " + std::to_string(longest) + " bytes");
      std::string text = pickle_.at(module).text + " " + pickle_.at(name).text;
      if ((names_ += text.size()) > kMostNames)
        refuse("classes whose names have more than " + std::to_string(kMostNames) + " bytes together");
      make(Kind::global).text = std::move(text);
      return;
    }
    case 0x91: {  // FROZENSET
      std::vector<Ref> items = pop_to_mark();
      make(Kind::list).items = std::move(items);
      return;
    }
    case 0x92:
      (void)pop();
      [[fallthrough]];  // NEWOBJ_EX, without its arguments by name
    case 'R':           // REDUCE
    case 0x81: {        // NEWOBJ
      const Ref arguments = pop(), callable = pop();
      return make_object(callable, arguments);
    }
    case 'b': {  // BUILD
      const Ref state = pop();
      PickleValue& value = pickle_.values[top()];
      if (value.kind != Kind::object) refuse("a state for what is no object");
      value.state = state;
      return;
    }
    case 'Q': {  // BINPERSID
      const Ref id = pop();
      make(Kind::persistent).items = {id};
      return;
    }
    default: {
      constexpr char kDigits[] = "0123456789abcdef";
      refuse(std::string("opcode 0x") + kDigits[opcode >> 4] + kDigits[opcode & 15] +
             " is none of those that describe data");
    }
  }
}

}  // namespace

Pickle read_pickle(std::span<const std::byte> bytes, const std::string& name, std::size_t begin) {
  return Reader(bytes, name, begin).read();
}

}  // namespace mixop
