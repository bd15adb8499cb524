#include "host/plugins/checks.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "mixop/native_revision.h"
#include "tests/catch.hpp"
#include "tests/host/plugins/elf_builder.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using Catch::Contains;
using mixop::check_file;
using mixop::HostTraits;
using mixop::PluginCheck;
using mixop::PluginRefused;
using mixop::test::ElfBuilder;
using mixop::test::plain_note;
using mixop::test::TemporaryFolder;

namespace {

HostTraits test_host() { return {1, 0, MIXOP_FLAG_CXX11_ABI, 0x020b00, 13000, 7}; }

void require_refused(const std::filesystem::path& file, PluginCheck check, const std::string& message) {
  try {
    check_file(file, test_host());
  } catch (const PluginRefused& refused) {
    CHECK_THAT(refused.what(), Contains(file.string()));
    CHECK_THAT(refused.what(), Contains(message));
    CHECK(std::string(mixop::name_of(refused.check())) == mixop::name_of(check));
    CHECK(refused.code() == mixop::ErrorCode::plugin);
    return;
  }
  FAIL("accepted; expected: " << message);
}

// The note of a native operator plugin that test_host() accepts.
MixopNote native_note() {
  MixopNote note = plain_note();
  note.kinds = MIXOP_KIND_OPERATOR;
  note.tier = MIXOP_TIER_NATIVE;
  note.libtorch_version = 0x020b00;
  note.native_revision = 7;
  return note;
}

void require_note_refused(const MixopNote& note, PluginCheck check, const std::string& message,
                          const HostTraits& host = test_host()) {
  try {
    mixop::check_note(note, "/x.so", host);
  } catch (const PluginRefused& refused) {
    CHECK_THAT(refused.what(), Contains(message));
    CHECK(std::string(mixop::name_of(refused.check())) == mixop::name_of(check));
    return;
  }
  FAIL("accepted; expected: " << message);
}

std::vector<std::byte> plain() { return ElfBuilder().add(plain_note()).build(); }

}  // namespace

TEST_CASE("a sound plugin file passes, and its digest is that of its bytes", "[plugins][checks]") {
  const TemporaryFolder folder;
  const auto file = folder.write("a.so", plain());
  const mixop::PluginFile checked = check_file(file, test_host());
  CHECK(checked.path == file);
  CHECK(checked.note.kinds == MIXOP_KIND_DATASET);
  CHECK(checked.sha256.size() == 64);
  CHECK(check_file(folder.write("b.so", plain()), test_host()).sha256 == checked.sha256);
  CHECK(check_file(folder.write("c.so", ElfBuilder().add(native_note()).build()), test_host()).sha256 !=
        checked.sha256);
}

TEST_CASE("a link leads to the file behind it", "[plugins][checks]") {
  const TemporaryFolder folder;
  const auto file = folder.write("a.so", plain());
  std::filesystem::create_symlink(file, folder.path() / "link.so");
  CHECK(check_file(folder.path() / "link.so", test_host()).path == file);
}

TEST_CASE("a path that is not absolute is refused", "[plugins][checks]") {
  require_refused("a.so", PluginCheck::path, "expected an absolute path; plugins are never searched by a bare name");
  require_refused("./a.so", PluginCheck::path, "expected an absolute path");
}

TEST_CASE("a missing file, a folder and a pipe are refused", "[plugins][checks]") {
  const TemporaryFolder folder;
  require_refused(folder.path() / "none.so", PluginCheck::path, "cannot be found: No such file or directory");
  std::filesystem::create_directory(folder.path() / "folder.so");
  require_refused(folder.path() / "folder.so", PluginCheck::path, "expected a regular file");
  REQUIRE(::mkfifo((folder.path() / "pipe.so").c_str(), 0600) == 0);
  require_refused(folder.path() / "pipe.so", PluginCheck::path, "expected a regular file");
}

TEST_CASE("a file that cannot be opened is refused", "[plugins][checks]") {
  // A socket, which not even root can open.
  const TemporaryFolder folder;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = (folder.path() / "a.so").string();
  REQUIRE(name.size() < sizeof address.sun_path);
  name.copy(address.sun_path, name.size());
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  require_refused(name, PluginCheck::path, "cannot be opened: No such device or address");
  ::close(socket);
}

TEST_CASE("a file that everybody may write is refused", "[plugins][checks]") {
  const TemporaryFolder folder;
  const auto file = folder.write("a.so", plain());
  std::filesystem::permissions(file, std::filesystem::perms(0666));
  require_refused(file, PluginCheck::owner_and_mode,
                  "the file " + file.string() + " is writable by everybody (mode 0666)");
  require_refused(file, PluginCheck::owner_and_mode, "Run: chmod o-w '" + file.string() + "'");
}

TEST_CASE("a file in a folder that everybody may write is refused, sticky or not", "[plugins][checks]") {
  const TemporaryFolder folder;
  const auto file = folder.write("a.so", plain());
  ::chmod(folder.path().c_str(), 0777);
  require_refused(file, PluginCheck::owner_and_mode,
                  "the folder " + folder.path().string() + " is writable by everybody");
  ::chmod(folder.path().c_str(), 01777);
  require_refused(file, PluginCheck::owner_and_mode, "(mode 1777)");
}

TEST_CASE("every folder up to the root counts, and a sticky one is safe above the plugin's own", "[plugins][checks]") {
  const TemporaryFolder folder;
  const auto above = folder.path() / "above", own = above / "own" / "deep";
  std::filesystem::create_directories(own);
  const auto file = own / "a.so";
  std::filesystem::rename(folder.write("a.so", plain()), file);
  CHECK_NOTHROW(check_file(file, test_host()));
  ::chmod(above.c_str(), 0777);
  require_refused(file, PluginCheck::owner_and_mode,
                  "the folder " + above.string() + " is writable by everybody (mode 0777). Run: chmod o-w '" +
                      above.string() + "'");
  ::chmod(above.c_str(), 01777);
  CHECK_NOTHROW(check_file(file, test_host()));
  ::chmod(above.c_str(), 0755);
  if (::geteuid() != 0) return;
  REQUIRE(::chown(above.c_str(), 4711, 0) == 0);
  require_refused(file, PluginCheck::owner_and_mode,
                  "the folder " + above.string() + " belongs to user 4711; expected you");
}

TEST_CASE("folders are those behind the links of a path, and those of the path", "[plugins][checks]") {
  const TemporaryFolder folder;
  const TemporaryFolder elsewhere;
  const auto open_folder = folder.path() / "open", own = open_folder / "own";
  std::filesystem::create_directories(own);
  std::filesystem::rename(folder.write("a.so", plain()), own / "a.so");
  ::chmod(open_folder.c_str(), 0777);
  std::filesystem::create_directory_symlink(own, elsewhere.path() / "link");
  require_refused(elsewhere.path() / "link" / "a.so", PluginCheck::owner_and_mode,
                  "the folder " + open_folder.string() + " is");
}

TEST_CASE("a link in a folder that everybody may write is refused", "[plugins][checks]") {
  const TemporaryFolder folder;
  const TemporaryFolder open_folder;
  const auto file = folder.write("a.so", plain());
  std::filesystem::create_symlink(file, open_folder.path() / "link.so");
  ::chmod(open_folder.path().c_str(), 0777);
  require_refused(open_folder.path() / "link.so", PluginCheck::owner_and_mode, open_folder.path().string());
}

TEST_CASE("a file of another user is refused", "[plugins][checks]") {
  const TemporaryFolder folder;
  const auto file = folder.write("a.so", plain());
  // Only root can give a file away; another user sees root's files accepted.
  if (::geteuid() != 0) {
    CHECK_THROWS_WITH(check_file("/etc/hostname", test_host()), Contains("(elf)"));
    return;
  }
  REQUIRE(::chown(file.c_str(), 4711, 0) == 0);
  require_refused(file, PluginCheck::owner_and_mode, "belongs to user 4711; expected you (user 0) or root");
}

TEST_CASE("defects of the ELF file are refused by the check they belong to", "[plugins][checks]") {
  const TemporaryFolder folder;
  require_refused(folder.write("a.so", std::string("#!/bin/sh\n")), PluginCheck::elf, "found another kind of file");
  ElfBuilder builder;
  builder.names.emplace_back(DT_RUNPATH, "/opt");
  require_refused(folder.write("b.so", builder.add(plain_note()).build()), PluginCheck::runpath, "RUNPATH '/opt'");
  require_refused(folder.write("c.so", ElfBuilder().build()), PluginCheck::note, "has no .note.mixop note");
  builder = ElfBuilder();
  builder.symbols.push_back({"more"});
  require_refused(folder.write("d.so", builder.add(plain_note()).build()), PluginCheck::exports, "exports 'more'");
}

TEST_CASE("a plugin of another ABI may export another symbol", "[plugins][checks]") {
  const TemporaryFolder folder;
  MixopNote note = plain_note();
  note.abi_major = 2;
  ElfBuilder builder;
  builder.symbols = {{"mixop_plugin_v2"}};
  require_refused(folder.write("a.so", builder.add(note).build()), PluginCheck::abi, "was built for plugin ABI 2.0");
}

TEST_CASE("a file that changes or goes after its checks is refused", "[plugins][checks]") {
  const TemporaryFolder folder;
  const mixop::PluginFile file = check_file(folder.write("a.so", plain()), test_host());
  CHECK_NOTHROW(mixop::require_unchanged(file));
  const auto refused = [&](const std::string& message) {
    CHECK_THROWS_WITH(mixop::require_unchanged(file), Contains("a.so is refused (load): " + message));
  };
  folder.write("a.so", ElfBuilder().add(native_note()).build());
  refused("changed after it was checked: its SHA-256 was " + file.sha256 + " and is ");
  folder.write("b.so", plain());
  std::filesystem::rename(folder.path() / "b.so", file.path);
  refused("was replaced by another file after it was checked. Try again");
  std::filesystem::remove(file.path);
  refused("is gone after it was checked: No such file or directory. Try again");
}

TEST_CASE("a file of unreasonable size is refused unread", "[plugins][checks]") {
  const TemporaryFolder folder;
  const auto file = folder.write("a.so", plain());
  std::filesystem::resize_file(file, (std::uintmax_t{1} << 30) + 1);
  require_refused(file, PluginCheck::elf, "has 1073741825 bytes; expected at most 1073741824");
}

TEST_CASE("a plugin for another ABI is refused", "[plugins][checks]") {
  MixopNote note = plain_note();
  note.abi_major = 2;
  require_note_refused(note, PluginCheck::abi, "was built for plugin ABI 2.0; this mixop has 1.0. Rebuild the plugin");
  note = plain_note();
  note.abi_minor = 1;
  require_note_refused(note, PluginCheck::abi, "was built for plugin ABI 1.1; this mixop has 1.0 and may lack");
  HostTraits newer = test_host();
  newer.abi_minor = 3;
  CHECK_NOTHROW(mixop::check_note(note, "/x.so", newer));
}

TEST_CASE("a note with impossible fields is refused", "[plugins][checks]") {
  const auto refused = [](auto change, const std::string& message) {
    MixopNote note = plain_note();
    change(note);
    require_note_refused(note, PluginCheck::note, message);
  };
  refused([](MixopNote& n) { n.kinds = 0; }, "its note names the kinds 0; expected bits of 15");
  refused([](MixopNote& n) { n.kinds = 16; }, "its note names the kinds 16");
  refused([](MixopNote& n) { n.tier = 3; }, "its note names tier 3; expected 0 (none), 1 (stable) or 2 (native)");
  refused([](MixopNote& n) { n.flags = 32; }, "its note has the flags 32; expected bits of 31");
  refused([](MixopNote& n) { n.libtorch_version = 0x020b00; }, "its note names tier none with LibTorch 2.11.0");
  refused([](MixopNote& n) { n.tier = 2; }, "its note names tier native with LibTorch 0.0.0");
  refused([](MixopNote& n) { n.native_revision = 7; },
          "its note names native revision 7 with the kinds 4 and tier none; expected one in tier native and for spaces "
          "and strategies, and 0 elsewhere");
  refused([](MixopNote& n) { n.kinds = MIXOP_KIND_SPACE; }, "its note names native revision 0 with the kinds 2 and tier none");
  refused([](MixopNote& n) { n.kinds = MIXOP_KIND_OPERATOR | MIXOP_KIND_STRATEGY; },
          "its note names native revision 0 with the kinds 9");
  refused([](MixopNote& n) { n = native_note(), n.native_revision = 0; },
          "its note names native revision 0 with the kinds 1 and tier native");
  refused([](MixopNote& n) { n.cuda_version = 13000; }, "its note has CUDA version 13000 with the CUDA flag clear");
  refused([](MixopNote& n) { n.flags |= MIXOP_FLAG_CUDA; }, "its note has CUDA version 0 with the CUDA flag set");
  refused([](MixopNote& n) { n.reserved[3] = 1; }, "its note has reserved words that are not zero");
}

TEST_CASE("a native plugin needs exactly the host's LibTorch", "[plugins][checks]") {
  CHECK_NOTHROW(mixop::check_note(native_note(), "/x.so", test_host()));
  for (const std::uint32_t version : {0x020a00U, 0x020b01U}) {
    MixopNote note = native_note();
    note.libtorch_version = version;
    require_note_refused(note, PluginCheck::libtorch,
                         "is of tier native and was built for LibTorch " + mixop::version_text(version) +
                             "; this mixop has LibTorch 2.11.0. Rebuild it with this mixop's LibTorch");
  }
}

TEST_CASE("a stable plugin works with its LibTorch and every newer one", "[plugins][checks]") {
  MixopNote note = native_note();
  note.tier = MIXOP_TIER_STABLE;
  note.native_revision = 0;
  CHECK_NOTHROW(mixop::check_note(note, "/x.so", test_host()));
  note.libtorch_version = 0x020a00;
  CHECK_NOTHROW(mixop::check_note(note, "/x.so", test_host()));
  note.libtorch_version = 0x020c00;
  require_note_refused(note, PluginCheck::libtorch,
                       "is of tier stable and needs LibTorch 2.12.0 or newer; this mixop has LibTorch 2.11.0");
}

TEST_CASE("a CUDA plugin needs the host's major version of CUDA", "[plugins][checks]") {
  MixopNote note = native_note();
  note.flags |= MIXOP_FLAG_CUDA;
  note.cuda_version = 13020;
  CHECK_NOTHROW(mixop::check_note(note, "/x.so", test_host()));
  note.cuda_version = 12080;
  require_note_refused(note, PluginCheck::libtorch, "was built with CUDA 12.8; this mixop has CUDA 13.0. Rebuild it");
  HostTraits without = test_host();
  without.cuda = 0;
  require_note_refused(note, PluginCheck::libtorch, "this mixop has a LibTorch without CUDA", without);
}

TEST_CASE("a plugin whose C++ types are of another revision is refused, older or newer", "[plugins][checks]") {
  MixopNote space = plain_note();
  space.kinds = MIXOP_KIND_SPACE;
  for (MixopNote note : {space, native_note()}) {
    note.native_revision = 7;
    CHECK_NOTHROW(mixop::check_note(note, "/x.so", test_host()));
    for (const std::uint32_t revision : {6U, 8U}) {
      note.native_revision = revision;
      require_note_refused(note, PluginCheck::native_revision,
                           "was built for revision " + std::to_string(revision) +
                               " of the C++ types that it shares with the host; this mixop has revision 7. Rebuild it "
                               "with this mixop's SDK");
    }
  }
}

TEST_CASE("LibTorch is checked before the native revision, and that before the flags", "[plugins][checks]") {
  MixopNote note = native_note();
  note.flags = 0;
  note.native_revision = 8;
  require_note_refused(note, PluginCheck::native_revision, "this mixop has revision 7");
  note.libtorch_version = 0x020a00;
  require_note_refused(note, PluginCheck::libtorch, "was built for LibTorch 2.10.0");
}

TEST_CASE("a plugin that C tables alone connect lives through every native revision", "[plugins][checks]") {
  HostTraits other = test_host();
  other.native_revision = 8;
  CHECK_NOTHROW(mixop::check_note(plain_note(), "/x.so", other));
  MixopNote stable = native_note();
  stable.tier = MIXOP_TIER_STABLE;
  stable.native_revision = 0;
  CHECK_NOTHROW(mixop::check_note(stable, "/x.so", other));
}

TEST_CASE("a plugin compiled with other flags is refused", "[plugins][checks]") {
  MixopNote note = native_note();
  note.flags = MIXOP_FLAG_CXX11_ABI | MIXOP_FLAG_DEBUG_STDLIB | MIXOP_FLAG_ASAN | MIXOP_FLAG_TSAN;
  require_note_refused(note, PluginCheck::flags,
                       "was compiled with: cxx11 abi, debug standard library, address sanitizer, thread sanitizer; "
                       "this mixop with: cxx11 abi. Rebuild it with the host's compiler options");
  note.flags = 0;
  require_note_refused(note, PluginCheck::flags, "was compiled with: none");
}

TEST_CASE("this program's traits are those of its LibTorch and compiler", "[plugins][checks]") {
  const HostTraits host = HostTraits::current();
  CHECK(host.abi_major == MIXOP_ABI_MAJOR);
  CHECK(host.libtorch >> 16 >= 2);
  CHECK(host.native_revision == MIXOP_NATIVE_REVISION);
  CHECK((host.flags & MIXOP_FLAG_CUDA) == 0);
}
