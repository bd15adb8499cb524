#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <optional>

#include "host/text/printable.hpp"
#include "host/weights/formats.hpp"
#include "host/weights/torch_pickle.hpp"
#include "host/weights/zip_file.hpp"
#include "mixop/error.hpp"

// PyTorch's files, as torch/serialization.py (torch.save, _legacy_save) and caffe2/serialize/inline_container.cc write
// them.

namespace mixop {
namespace {

constexpr std::uint64_t kMostPickle = std::uint64_t{32} << 20;
constexpr std::int64_t kLegacyProtocol = 1001;
/// 0x1950a86a20f9469cfc6c, little endian.
constexpr std::string_view kLegacyMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);

std::vector<WeightEntry> entries_of(const std::vector<TorchTensor>& tensors) {
  std::vector<WeightEntry> entries;
  for (const TorchTensor& tensor : tensors) entries.push_back(tensor.entry);
  return entries;
}

/// A tensor's values, row-major, out of a storage or a part of it in which they begin at value `offset`.
std::vector<std::byte> gathered(const TorchTensor& tensor, std::span<const std::byte> storage, std::int64_t offset) {
  const std::size_t size = size_of(tensor.entry.type), count = static_cast<std::size_t>(tensor.entry.count());
  std::vector<std::byte> values(count * size);
  if (count == 0) return values;
  const std::byte* from = storage.data() + static_cast<std::size_t>(offset) * size;
  if (tensor.is_contiguous()) {
    std::memcpy(values.data(), from, values.size());
    return values;
  }
  std::vector<std::int64_t> at(tensor.entry.shape.size(), 0);
  std::size_t place = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(values.data() + i * size, from + place * size, size);
    for (std::size_t d = at.size(); d-- > 0;) {
      place += static_cast<std::size_t>(tensor.strides[d]);
      if (++at[d] < tensor.entry.shape[d]) break;
      place -= static_cast<std::size_t>(tensor.strides[d] * at[d]);
      at[d] = 0;
    }
  }
  return values;
}

class TorchZip final : public WeightFile {
 public:
  TorchZip(const std::string& name, ZipFile zip, std::string folder, std::vector<TorchTensor> tensors,
           std::map<std::string, TorchStorage> storages)
      : WeightFile(name, entries_of(tensors)),
        zip_(std::move(zip)),
        folder_(std::move(folder)),
        tensors_(std::move(tensors)),
        storages_(std::move(storages)) {}

  const char* format() const override { return "PyTorch"; }
  std::vector<std::byte> read(std::size_t entry) const override {
    const TorchTensor& tensor = tensors_.at(entry);
    if (tensor.entry.count() == 0) return {};
    if (held_ != tensor.storage) {
      storage_ = zip_.read(folder_ + "data/" + tensor.storage, storages_.at(tensor.storage).bytes());
      held_ = tensor.storage;
    }
    return gathered(tensor, storage_, tensor.offset);
  }

 private:
  ZipFile zip_;
  std::string folder_;
  std::vector<TorchTensor> tensors_;
  std::map<std::string, TorchStorage> storages_;
  mutable std::string held_;  ///< the storage that was read last, which tensors may share
  mutable std::vector<std::byte> storage_;
};

class TorchLegacy final : public WeightFile {
 public:
  TorchLegacy(InputFile file, std::vector<TorchTensor> tensors, std::map<std::string, std::uint64_t> places)
      : WeightFile(file.name(), entries_of(tensors)),
        file_(std::move(file)),
        tensors_(std::move(tensors)),
        places_(std::move(places)) {}

  const char* format() const override { return "PyTorch (legacy)"; }
  std::vector<std::byte> read(std::size_t entry) const override {
    const TorchTensor& tensor = tensors_.at(entry);
    if (tensor.entry.count() == 0) return {};
    const std::uint64_t size = size_of(tensor.entry.type), first = static_cast<std::uint64_t>(tensor.offset) * size;
    return gathered(tensor, file_.read(places_.at(tensor.storage) + first, tensor.reach() * size), 0);
  }

 private:
  InputFile file_;
  std::vector<TorchTensor> tensors_;
  std::map<std::string, std::uint64_t> places_;  ///< of the storages' values
};

/// "FOLDER/" of the one member FOLDER/data.pkl.
std::string folder_of(const ZipFile& zip, const std::string& name) {
  constexpr std::string_view kPickle = "/data.pkl";
  std::string folder;
  for (const std::string& member : zip.members()) {
    if (member.ends_with("/constants.pkl"))
      throw Error(ErrorCode::bad_data,
                  name + ": is a TorchScript program; expected weights alone: torch.save(model.state_dict(), FILE)");
    if (!member.ends_with(kPickle) || member.find('/') != member.size() - kPickle.size()) continue;
    if (!folder.empty()) throw Error(ErrorCode::bad_data, name + ": holds data.pkl in two folders");
    folder = member.substr(0, member.size() - kPickle.size() + 1);
  }
  if (folder.empty())
    throw Error(ErrorCode::bad_data,
                name + ": is a zip archive without FOLDER/data.pkl, so torch.save did not write it");
  return folder;
}

/// The next pickle of a legacy file, of which the first bytes are in memory.
Pickle next_pickle(std::span<const std::byte> bytes, std::size_t& place, const std::string& name) {
  Pickle pickle = read_pickle(bytes.subspan(place), name, place);
  place += pickle.end;
  return pickle;
}

const PickleValue* member_of(const Pickle& dict, std::string_view key) {
  const PickleValue& root = dict.at(dict.root);
  if (root.kind == PickleValue::Kind::dict)
    for (std::size_t i = 0; i + 1 < root.items.size(); i += 2)
      if (dict.at(root.items[i]).text == key) return &dict.at(root.items[i + 1]);
  return nullptr;
}

void require_little_endian(const Pickle& system, const std::string& name) {
  const PickleValue* little = member_of(system, "little_endian");
  if (little == nullptr || little->kind != PickleValue::Kind::boolean || little->integer != 1)
    throw Error(ErrorCode::bad_data,
                name + ": does not say that its numbers are little endian, and no others are read");
}

/// Where the values of each storage lie, which follow each other behind the pickles: a count, and the values.
std::map<std::string, std::uint64_t> places_of(const Pickle& keys, const std::map<std::string, TorchStorage>& storages,
                                               const InputFile& file, std::uint64_t place) {
  std::map<std::string, std::uint64_t> places;
  if (keys.at(keys.root).kind != PickleValue::Kind::list)
    throw Error(ErrorCode::bad_data, file.name() + ": lists no storages");
  for (const PickleValue::Ref ref : keys.at(keys.root).items) {
    const PickleValue& written = keys.at(ref);
    const std::string key = written.kind == PickleValue::Kind::integer ? std::to_string(written.integer) : written.text;
    const auto known = storages.find(key);
    std::int64_t count = 0;
    file.read(place, std::as_writable_bytes(std::span(&count, 1)));
    if (known == storages.end())
      throw Error(ErrorCode::bad_data, file.name() + ": byte " + std::to_string(place) + ": the storage '" +
                                           excerpt(key) +
                                           "' is of no tensor, or of numbers that are not read (complex ones, for "
                                           "instance); save model.state_dict() alone");
    if (count != known->second.count)
      throw Error(ErrorCode::bad_data, file.name() + ": byte " + std::to_string(place) + ": the storage '" +
                                           excerpt(key) + "' has " + std::to_string(count) +
                                           " values, and its tensors say otherwise");
    place += sizeof count;
    if (known->second.bytes() > file.size() - place)
      throw Error(ErrorCode::bad_data,
                  file.name() + ": ends within the storage '" + excerpt(key) + "'; is it a part of a file?");
    if (!places.emplace(key, place).second)
      throw Error(ErrorCode::bad_data, file.name() + ": lists the storage '" + excerpt(key) + "' twice");
    place += known->second.bytes();
  }
  return places;
}

void require_all(const std::vector<TorchTensor>& tensors, const std::string& name,
                 const std::function<bool(const std::string&)>& has) {
  for (const TorchTensor& tensor : tensors)
    if (!has(tensor.storage))
      throw Error(ErrorCode::bad_data, name + ": tensor '" + excerpt(tensor.entry.name) + "': its storage '" +
                                           excerpt(tensor.storage) +
                                           "' is not in the file, or not of the size that it says");
}

}  // namespace

std::unique_ptr<WeightFile> open_torch_zip(const std::filesystem::path& path) {
  const std::string name = path.string();
  ZipFile zip(path);
  const std::string folder = folder_of(zip, name);
  if (zip.size(folder + "byteorder")) {
    const std::vector<std::byte> order = zip.read(folder + "byteorder", 16);
    if (std::string_view(reinterpret_cast<const char*>(order.data()), order.size()) != "little")
      throw Error(ErrorCode::bad_data, name + ": its numbers are not little endian, and no others are read");
  }
  const Pickle pickle = read_pickle(zip.read(folder + "data.pkl", kMostPickle), name + ": data.pkl");
  std::map<std::string, TorchStorage> storages = storages_of(pickle, name);
  std::vector<TorchTensor> tensors = tensors_of(pickle, name);
  require_all(tensors, name,
              [&](const std::string& key) { return zip.size(folder + "data/" + key) == storages.at(key).bytes(); });
  return std::make_unique<TorchZip>(name, std::move(zip), folder, std::move(tensors), std::move(storages));
}

bool is_torch_legacy(std::span<const std::byte> begin) {
  // PROTO, LONG1 and the magic number
  const std::string_view text(reinterpret_cast<const char*>(begin.data()), begin.size());
  return text.size() >= 14 && text[0] == '\x80' && text.substr(2, 2) == "\x8a\x0a" &&
         text.substr(4, 10) == kLegacyMagic;
}

std::unique_ptr<WeightFile> open_torch_legacy(InputFile file) {
  const std::string name = file.name();
  const std::vector<std::byte> bytes = file.read(0, std::min(file.size(), kMostPickle));
  std::size_t place = 0;
  (void)next_pickle(bytes, place, name);  // the magic number
  const Pickle protocol = next_pickle(bytes, place, name);
  if (protocol.at(protocol.root).integer != kLegacyProtocol)
    throw Error(ErrorCode::bad_data, name + ": expected torch.save's protocol " + std::to_string(kLegacyProtocol) +
                                         ", found " + std::to_string(protocol.at(protocol.root).integer));
  require_little_endian(next_pickle(bytes, place, name), name);
  const Pickle pickle = next_pickle(bytes, place, name), keys = next_pickle(bytes, place, name);
  std::map<std::string, TorchStorage> storages = storages_of(pickle, name);
  std::vector<TorchTensor> tensors = tensors_of(pickle, name);
  std::map<std::string, std::uint64_t> places = places_of(keys, storages, file, place);
  require_all(tensors, name, [&](const std::string& key) { return places.count(key) != 0; });
  return std::make_unique<TorchLegacy>(std::move(file), std::move(tensors), std::move(places));
}

}  // namespace mixop
