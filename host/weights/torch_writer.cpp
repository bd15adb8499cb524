#include <cstring>

#include "host/weights/weight_file.hpp"
#include "host/weights/zip_file.hpp"

// What torch.load reads: a zip archive with a pickle (protocol 2) of an OrderedDict and a member for each storage
// (torch/serialization.py, _save).

namespace mixop {
namespace {

constexpr char kFolder[] = "weights/";

/// Writes the opcodes of Lib/pickletools.py that a state dictionary needs.
class PickleWriter {
 public:
  PickleWriter() { bytes_ = std::string("\x80\x02", 2); }

  void global(std::string_view module, std::string_view name) {
    bytes_.append("c").append(module).append("\n").append(name).append("\n");
  }
  void text(std::string_view text) {
    bytes_ += 'X';
    number(static_cast<std::uint32_t>(text.size()));
    bytes_ += text;
  }
  void integer(std::int64_t value) {
    bytes_ += std::string_view("\x8a\x08", 2);  // LONG1
    number(value);
  }
  void no() { bytes_ += '\x89'; }
  void mark() { bytes_ += '('; }
  void tuple() { bytes_ += 't'; }
  void empty_tuple() { bytes_ += ')'; }
  void reduce() { bytes_ += 'R'; }
  void persistent() { bytes_ += 'Q'; }
  void set_items() { bytes_ += 'u'; }
  std::vector<std::byte> finish() {
    bytes_ += '.';
    const auto* begin = reinterpret_cast<const std::byte*>(bytes_.data());
    return {begin, begin + bytes_.size()};
  }

 private:
  template <class T>
  void number(T value) {
    char digits[sizeof value];
    std::memcpy(digits, &value, sizeof value);
    bytes_.append(digits, sizeof value);
  }
  std::string bytes_;
};

void write_tensor(PickleWriter& pickle, const WeightEntry& entry, const std::string& key) {
  pickle.global("torch._utils", "_rebuild_tensor_v2");
  pickle.mark();
  pickle.mark();
  pickle.text("storage");
  pickle.global("torch", names_of(entry.type).torch);
  pickle.text(key);
  pickle.text("cpu");
  pickle.integer(entry.count());
  pickle.tuple();
  pickle.persistent();
  pickle.integer(0);  // offset
  pickle.mark();
  for (const std::int64_t size : entry.shape) pickle.integer(size);
  pickle.tuple();
  pickle.mark();
  for (std::size_t i = 0; i < entry.shape.size(); ++i) {
    std::int64_t stride = 1;
    for (std::size_t k = i + 1; k < entry.shape.size(); ++k) stride *= entry.shape[k];
    pickle.integer(stride);
  }
  pickle.tuple();
  pickle.no();  // requires_grad
  pickle.global("collections", "OrderedDict");
  pickle.empty_tuple();
  pickle.reduce();  // backward hooks
  pickle.tuple();
  pickle.reduce();
}

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

}  // namespace

std::vector<std::byte> torch_file(const std::vector<NamedValues>& tensors) {
  PickleWriter pickle;
  pickle.global("collections", "OrderedDict");
  pickle.empty_tuple();
  pickle.reduce();
  pickle.mark();
  std::vector<ZipMember> members(1);
  for (const NamedValues& tensor : tensors) {
    const std::string key = std::to_string(members.size() - 1);
    pickle.text(tensor.entry.name);
    write_tensor(pickle, tensor.entry, key);
    members.push_back({std::string(kFolder) + "data/" + key, tensor.bytes});
  }
  pickle.set_items();
  members.front() = {std::string(kFolder) + "data.pkl", pickle.finish()};
  members.push_back({std::string(kFolder) + "byteorder", bytes_of("little")});
  members.push_back({std::string(kFolder) + "version", bytes_of("3\n")});
  return zip_archive(members);
}

}  // namespace mixop
