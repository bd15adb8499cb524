#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "host/json/json.hpp"
#include "host/json/json_writer.hpp"
#include "host/text/printable.hpp"
#include "host/weights/formats.hpp"
#include "mixop/error.hpp"

// The format: eight bytes with the header's length, a JSON header, and the tensors' bytes without gaps
// (huggingface/safetensors, README, "Format").

namespace mixop {
namespace {

constexpr std::uint64_t kMostHeader = std::uint64_t{2} << 20;  // some 15,000 tensors
constexpr std::size_t kMostRank = 16, kAlignment = 8;

struct Stored {
  WeightEntry entry;
  std::uint64_t begin = 0, end = 0;  // behind the header
};

class Header {
 public:
  Header(const JsonValue& root, std::string name, std::uint64_t bytes) : name_(std::move(name)), bytes_(bytes) {
    if (!root.is(JsonValue::Kind::object))
      refuse("its header is " + root.describe() + "; expected an object of tensors");
    for (const JsonMember& member : root.members)
      if (member.key != "__metadata__") tensors_.push_back(stored(member));
    std::stable_sort(tensors_.begin(), tensors_.end(), [](const Stored& a, const Stored& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    std::uint64_t place = 0;
    for (const Stored& tensor : tensors_) {
      if (tensor.begin != place)
        refuse_tensor(tensor.entry.name, "begins at byte " + std::to_string(tensor.begin) +
                                             ", and the one before it ends at " + std::to_string(place));
      place = tensor.end;
    }
    if (place != bytes)
      refuse("its tensors have " + std::to_string(place) + " bytes, and behind the header are " +
             std::to_string(bytes));
  }

  std::vector<Stored> tensors() && { return std::move(tensors_); }

 private:
  [[noreturn]] void refuse(const std::string& how) const { throw Error(ErrorCode::bad_data, name_ + ": " + how); }
  [[noreturn]] void refuse_tensor(const std::string& tensor, const std::string& how) const {
    refuse("tensor '" + excerpt(tensor) + "': " + how);
  }

  /// A list of whole numbers of 0 and more.
  std::vector<std::int64_t> numbers(const JsonMember& tensor, const char* key, std::size_t most) const {
    const JsonValue* list = tensor.value.find(key);
    if (list == nullptr || !list->is(JsonValue::Kind::list) || list->items.size() > most)
      refuse_tensor(tensor.key,
                    std::string("expected '") + key + "', a list of at most " + std::to_string(most) + " numbers");
    std::vector<std::int64_t> all;
    for (const JsonValue& item : list->items) {
      if (!item.is(JsonValue::Kind::integer) || item.integer < 0)
        refuse_tensor(tensor.key,
                      std::string("'") + key + "' has " + item.describe() + "; expected whole numbers of 0 and more");
      all.push_back(item.integer);
    }
    return all;
  }

  Stored stored(const JsonMember& member) const {
    const JsonValue* dtype = member.value.find("dtype");
    const auto kind = std::find_if(std::begin(weight_types), std::end(weight_types), [&](const WeightTypeNames& one) {
      return dtype != nullptr && dtype->text == one.safetensors;
    });
    if (kind == std::end(weight_types))
      refuse_tensor(member.key,
                    "expected a dtype such as F32, found " + (dtype == nullptr ? "none" : dtype->describe()));
    Stored tensor{{member.key, kind->type, numbers(member, "shape", kMostRank)}, 0, 0};
    const std::vector<std::int64_t> offsets = numbers(member, "data_offsets", 2);
    if (offsets.size() != 2 || offsets[1] < offsets[0] || static_cast<std::uint64_t>(offsets[1]) > bytes_)
      refuse_tensor(member.key,
                    "its data_offsets do not lie within the " + std::to_string(bytes_) + " bytes behind the header");
    tensor.begin = static_cast<std::uint64_t>(offsets[0]);
    tensor.end = static_cast<std::uint64_t>(offsets[1]);
    std::int64_t size = static_cast<std::int64_t>(size_of(kind->type));
    bool fits = true;
    for (const std::int64_t side : tensor.entry.shape) fits = fits && !__builtin_mul_overflow(size, side, &size);
    if (!fits || static_cast<std::uint64_t>(size) != tensor.end - tensor.begin)
      refuse_tensor(member.key, "its shape and dtype do not make the " + std::to_string(tensor.end - tensor.begin) +
                                    " bytes of its data_offsets");
    return tensor;
  }

  std::string name_;
  std::uint64_t bytes_;
  std::vector<Stored> tensors_;
};

class Safetensors final : public WeightFile {
 public:
  Safetensors(InputFile file, std::vector<Stored> tensors, std::vector<WeightEntry> entries, std::uint64_t begin)
      : WeightFile(file.name(), std::move(entries)),
        file_(std::move(file)),
        tensors_(std::move(tensors)),
        begin_(begin) {}

  const char* format() const override { return "safetensors"; }
  std::vector<std::byte> read(std::size_t entry) const override {
    const Stored& tensor = tensors_.at(entry);
    return file_.read(begin_ + tensor.begin, tensor.end - tensor.begin);
  }

 private:
  InputFile file_;
  std::vector<Stored> tensors_;
  std::uint64_t begin_;
};

}  // namespace

std::unique_ptr<WeightFile> open_safetensors(InputFile file) {
  std::uint64_t length = 0;
  file.read(0, std::as_writable_bytes(std::span(&length, 1)));
  if (length > file.size() - sizeof length)
    throw Error(ErrorCode::bad_data, file.name() +
                                         ": is neither a file of torch.save nor safetensors, whose first 8 bytes are "
                                         "the length of a header within the file");
  if (length > kMostHeader)
    throw Error(ErrorCode::bad_data, file.name() + ": its header of safetensors has " + std::to_string(length) +
                                         " bytes; at most " + std::to_string(kMostHeader) + " are read");
  const std::vector<std::byte> text = file.read(sizeof length, length);
  const JsonValue root =
      parse_json({reinterpret_cast<const char*>(text.data()), text.size()}, file.name(), ErrorCode::bad_data);
  const std::uint64_t begin = sizeof length + length;
  std::vector<Stored> tensors = Header(root, file.name(), file.size() - begin).tensors();
  if (tensors.empty()) throw Error(ErrorCode::bad_data, file.name() + ": holds no tensors");
  std::vector<WeightEntry> entries;
  for (const Stored& tensor : tensors) entries.push_back(tensor.entry);
  return std::make_unique<Safetensors>(std::move(file), std::move(tensors), std::move(entries), begin);
}

std::vector<std::byte> safetensors_file(const std::vector<NamedValues>& tensors,
                                        const std::vector<std::pair<std::string, std::string>>& metadata) {
  // Readers take the widest types first, so that each tensor is aligned.
  std::vector<const NamedValues*> ordered;
  for (const NamedValues& tensor : tensors) ordered.push_back(&tensor);
  std::stable_sort(ordered.begin(), ordered.end(), [](const NamedValues* a, const NamedValues* b) {
    return size_of(a->entry.type) > size_of(b->entry.type);
  });
  JsonWriter json(JsonWriter::Style::compact);
  json.begin_object();
  if (!metadata.empty()) {
    json.key("__metadata__").begin_object();
    for (const auto& [key, text] : metadata) json.member(key, text);
    json.end();
  }
  std::size_t place = 0;
  for (const NamedValues* tensor : ordered) {
    json.key(tensor->entry.name)
        .begin_object()
        .member("dtype", names_of(tensor->entry.type).safetensors)
        .key("shape")
        .begin_list();
    for (const std::int64_t side : tensor->entry.shape) json.value(side);
    json.end().key("data_offsets").begin_list().value(place).value(place + tensor->bytes.size()).end().end();
    place += tensor->bytes.size();
  }
  std::string header = json.end().text();
  header.append((kAlignment - header.size() % kAlignment) % kAlignment, ' ');
  if (header.size() > kMostHeader)
    throw Error(ErrorCode::unsupported, "safetensors: the names of " + std::to_string(tensors.size()) +
                                            " tensors make a header of " + std::to_string(header.size()) +
                                            " bytes, and at most " + std::to_string(kMostHeader) +
                                            " are read; write PyTorch's form (pt)");
  std::vector<std::byte> file(sizeof(std::uint64_t) + header.size() + place);
  const std::uint64_t length = header.size();
  std::memcpy(file.data(), &length, sizeof length);
  std::memcpy(file.data() + sizeof length, header.data(), header.size());
  std::byte* to = file.data() + sizeof length + header.size();
  for (const NamedValues* tensor : ordered) {
    std::copy(tensor->bytes.begin(), tensor->bytes.end(), to);
    to += tensor->bytes.size();
  }
  return file;
}

}  // namespace mixop
