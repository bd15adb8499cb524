#include "host/plugins/scaffold.hpp"

#include <sys/stat.h>

#include "mixop/error.hpp"
#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using Catch::Contains;
using mixop::test::content_of;

namespace {

const std::filesystem::path kTemplates = MIXOP_SOURCE_DIR "/sdk/templates";

void write_operator(const std::string& name, const std::filesystem::path& folder) {
  mixop::write_plugin_project(kTemplates, "op", name, folder);
}

}  // namespace

TEST_CASE("a project is written whole, under the plugin's names", "[plugins][scaffold]") {
  const mixop::test::TemporaryFolder folder;
  const std::vector<std::string> kinds = mixop::template_kinds(kTemplates);
  CHECK(kinds == std::vector<std::string>{"chain-op", "cuda-op", "dataset", "op", "relaxation", "space", "stable-op",
                                               "strategy"});
  for (const std::string& kind : kinds) {
    INFO(kind);
    const auto project = folder.path() / "below" / kind;
    mixop::write_plugin_project(kTemplates, kind, "acme.ghost_conv", project);
    CHECK_THAT(content_of(project / "CMakeLists.txt"), Contains("mixop_add_plugin(NAME acme.ghost_conv SOURCES ghost_conv.cpp KINDS "));
    CHECK_THAT(content_of(project / "CMakeLists.txt"), Contains("project(acme_ghost_conv"));
    CHECK_THAT(content_of(project / "ghost_conv.cpp"), Contains("MIXOP_PLUGIN(\"acme.ghost_conv\""));
    CHECK_THAT(content_of(project / "ghost_conv.hpp"), Contains(kind == "chain-op" ? "ghost_conv_structure(" : "GhostConv"));
    CHECK_THAT(content_of(project / "README.md"), Contains("acme.ghost_conv"));
    CHECK(content_of(project / ".gitignore") == "/build/\n");
    for (const auto& file : std::filesystem::directory_iterator(project)) {
      CHECK_THAT(content_of(file.path()), !Contains("@"));
      CHECK_THAT(file.path().string(), !Contains("@"));
    }
  }
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path() / "below"), {}) ==
        static_cast<std::ptrdiff_t>(kinds.size()));
}

TEST_CASE("an unknown kind, and templates that are not there, are explained", "[plugins][scaffold][misuse]") {
  const mixop::test::TemporaryFolder folder;
  CHECK_THROWS_WITH(mixop::write_plugin_project(kTemplates, "spaces", "acme.x", folder.path() / "p"),
                    "plugins new: expected a kind, one of chain-op, cuda-op, dataset, op, relaxation, space, "
                    "stable-op, strategy, found 'spaces'; did you mean 'space'?");
  CHECK_THROWS_WITH(mixop::template_kinds(folder.path() / "none"),
                    Contains("holds no templates, which are installed with mixop; install it again"));
}

TEST_CASE("an existing folder is left as it is", "[plugins][scaffold]") {
  const mixop::test::TemporaryFolder folder;
  CHECK_THROWS_WITH(write_operator("acme.conv", folder.path()),
                    "plugins new: " + folder.path().string() + " exists; name another folder with --out");
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a name that is not reverse-DNS is a usage error", "[plugins][scaffold]") {
  const mixop::test::TemporaryFolder folder;
  const auto refused = [&](const std::string& name, const std::string& problem) {
    CHECK_THROWS_WITH(write_operator(name, folder.path() / "p"),
                      "plugins new: the name '" + name + "' " + problem +
                          "; expected your name and the plugin's in lower case, such as acme.ghost_conv");
    CHECK(std::filesystem::is_empty(folder.path()));
  };
  refused("conv", "has no dot");
  refused("acme.test", "ends in 'test', which is the file of the project's own tests");
  refused("mixop.conv", "begins with 'mixop', which is kept for mixop's own plugins");
  const std::string letters = "has other characters than a-z, 0-9 and '_', or a part that does not begin with a letter";
  for (const char* name : {"acme.", ".conv", "acme.Conv", "acme.3x3", "acme. conv", "acme.co/nv"})
    refused(name, letters);
  refused("acme." + std::string(60, 'a'), "is longer than 64 characters");
}

TEST_CASE("where a project cannot be written nothing is left behind", "[plugins][scaffold]") {
  const mixop::test::TemporaryFolder folder;
  const auto file = folder.write("file", std::string("x"));
  CHECK_THROWS_WITH(write_operator("acme.conv", file / "p"),
                    Contains("plugins new: " + (file / "p").string() + " cannot be written: "));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}
