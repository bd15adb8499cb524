#include "host/weights/zip_file.hpp"

#include <zip.h>

#include <algorithm>

#include "host/text/printable.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

constexpr std::uint64_t kMostMembers = 100'000;
constexpr zip_uint16_t kFirstDay = (1 << 5) | 1;  // 1980-01-01 as MS-DOS writes it

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
  void operator()(zip_source_t* source) const { zip_source_free(source); }
};
using Archive = std::unique_ptr<zip_t, Discard>;

[[noreturn]] void refuse(const std::string& name, const std::string& how) {
  throw Error(ErrorCode::bad_data, name + ": " + how);
}

std::string error_of(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

/// What libzip could not do while an archive was made in memory.
[[noreturn]] void fail(const char* step, const char* reason) {
  throw Error(ErrorCode::failed, std::string("zip archive: ") + step + ": " + reason);
}

}  // namespace

struct ZipFile::State {
  Archive archive;
};

ZipFile::ZipFile(const std::filesystem::path& path) : name_(path.string()), state_(std::make_unique<State>()) {
  int problem = 0;
  state_->archive.reset(zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &problem));
  if (state_->archive == nullptr)
    refuse(name_,
           problem == ZIP_ER_EXISTS ? "has two members of one name" : "is no sound zip archive: " + error_of(problem));
  const zip_int64_t count = zip_get_num_entries(state_->archive.get(), 0);
  if (static_cast<std::uint64_t>(count) > kMostMembers)
    refuse(name_, "has " + std::to_string(count) + " members; at most " + std::to_string(kMostMembers) + " are read");
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* member = zip_get_name(state_->archive.get(), static_cast<zip_uint64_t>(i), ZIP_FL_ENC_RAW);
    if (member == nullptr) refuse(name_, "has a member without a name");
    members_.emplace_back(member);
  }
  std::vector<std::string> sorted = members_;
  std::sort(sorted.begin(), sorted.end());
  if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end())
    refuse(name_, "has two members '" + excerpt(*twice) + "'");
}

ZipFile::ZipFile(ZipFile&&) noexcept = default;
ZipFile::~ZipFile() = default;

std::optional<std::uint64_t> ZipFile::size(const std::string& member) const {
  zip_stat_t status;
  if (zip_stat(state_->archive.get(), member.c_str(), ZIP_FL_ENC_RAW, &status) != 0) return std::nullopt;
  return (status.valid & ZIP_STAT_SIZE) != 0 ? std::optional<std::uint64_t>(status.size) : std::nullopt;
}

std::vector<std::byte> ZipFile::read(const std::string& member, std::uint64_t most) const {
  const std::string where = "member '" + excerpt(member) + "'";
  zip_stat_t status;
  if (zip_stat(state_->archive.get(), member.c_str(), ZIP_FL_ENC_RAW, &status) != 0) refuse(name_, "has no " + where);
  if ((status.valid & ZIP_STAT_SIZE) == 0 || (status.valid & ZIP_STAT_COMP_SIZE) == 0)
    refuse(name_, where + " has no size");
  if ((status.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && status.encryption_method != ZIP_EM_NONE)
    refuse(name_, where + " is encrypted");
  if (status.size > most)
    refuse(name_,
           where + " has " + std::to_string(status.size) + " bytes; at most " + std::to_string(most) + " are expected");
  if ((status.valid & ZIP_STAT_COMP_METHOD) == 0 || status.comp_method != ZIP_CM_STORE ||
      status.size != status.comp_size)
    refuse(name_, where + " is packed; torch.save stores its members as they are");
  const std::unique_ptr<zip_file_t, Discard> file(zip_fopen_index(state_->archive.get(), status.index, 0));
  if (file == nullptr) refuse(name_, where + ": " + zip_strerror(state_->archive.get()));
  std::vector<std::byte> bytes(status.size);
  for (std::size_t done = 0; done < bytes.size();) {
    const zip_int64_t got = zip_fread(file.get(), bytes.data() + done, bytes.size() - done);
    if (got <= 0)
      refuse(name_, where + ": " + (got < 0 ? zip_file_strerror(file.get()) : "ends before the size that it says"));
    done += static_cast<std::size_t>(got);
  }
  std::byte beyond;  // reads up to the end, where the checksum is looked at
  if (const zip_int64_t got = zip_fread(file.get(), &beyond, 1); got != 0)
    refuse(name_, where + ": " + (got < 0 ? zip_file_strerror(file.get()) : "goes on behind the size that it says"));
  return bytes;
}

std::vector<std::byte> zip_archive(const std::vector<ZipMember>& members) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* const target = zip_source_buffer_create(nullptr, 0, 0, &error);
  if (target == nullptr) fail("making", zip_error_strerror(&error));
  zip_source_keep(target);  // beyond the archive, which takes it
  const std::unique_ptr<zip_source_t, Discard> kept(target);
  Archive archive(zip_open_from_source(target, ZIP_TRUNCATE, &error));
  if (archive == nullptr) fail("making", zip_error_strerror(&error));
  for (const ZipMember& member : members) {
    zip_source_t* const content = zip_source_buffer(archive.get(), member.bytes.data(), member.bytes.size(), 0);
    const zip_int64_t index =
        content == nullptr ? -1 : zip_file_add(archive.get(), member.name.c_str(), content, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(content);
      fail("adding", zip_strerror(archive.get()));
    }
    const auto at = static_cast<zip_uint64_t>(index);
    if (zip_set_file_compression(archive.get(), at, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(archive.get(), at, 0, kFirstDay, 0) != 0)
      fail("adding", zip_strerror(archive.get()));
  }
  if (zip_close(archive.get()) != 0) fail("writing", zip_strerror(archive.get()));
  (void)archive.release();  // closed
  if (zip_source_open(target) != 0) fail("reading back", zip_error_strerror(zip_source_error(target)));
  zip_source_seek(target, 0, SEEK_END);
  std::vector<std::byte> bytes(static_cast<std::size_t>(zip_source_tell(target)));
  zip_source_seek(target, 0, SEEK_SET);
  const zip_int64_t got = zip_source_read(target, bytes.data(), bytes.size());
  zip_source_close(target);
  if (got < 0 || static_cast<std::size_t>(got) != bytes.size()) fail("reading back", "ends early");
  return bytes;
}

}  // namespace mixop
