#include "host/plugins/scaffold.hpp"

#include <sys/stat.h>

#include "mixop/error.hpp"
#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using Catch::Contains;
using mixop::write_operator_project;
using mixop::test::content_of;

TEST_CASE("a project for an operator is written whole", "[plugins][scaffold]") {
  const mixop::test::TemporaryFolder folder;
  const auto project = folder.path() / "below" / "project";
  write_operator_project("acme.ghost_conv", project);
  CHECK_THAT(content_of(project / "CMakeLists.txt"),
             Contains("mixop_add_plugin(NAME acme.ghost_conv SOURCES ghost_conv.cpp KINDS operator TIER native)"));
  CHECK_THAT(content_of(project / "CMakeLists.txt"), Contains("project(acme_ghost_conv"));
  CHECK_THAT(content_of(project / "ghost_conv.cpp"), Contains("struct GhostConv : torch::nn::Module"));
  CHECK_THAT(content_of(project / "ghost_conv.cpp"),
             Contains("mixop::module_operator<GhostConv>(\"acme.ghost_conv\")"));
  CHECK_THAT(content_of(project / "README.md"), Contains("--set space.ops=+acme.ghost_conv"));
  for (const auto& file : std::filesystem::directory_iterator(project))
    CHECK_THAT(content_of(file.path()), !Contains("@"));
  CHECK(std::distance(std::filesystem::directory_iterator(project.parent_path()), {}) == 1);
}

TEST_CASE("an existing folder is left as it is", "[plugins][scaffold]") {
  const mixop::test::TemporaryFolder folder;
  CHECK_THROWS_WITH(write_operator_project("acme.conv", folder.path()),
                    "plugins new: " + folder.path().string() + " exists; name another folder with --out");
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a name that is not reverse-DNS is a usage error", "[plugins][scaffold]") {
  const mixop::test::TemporaryFolder folder;
  const auto refused = [&](const std::string& name, const std::string& problem) {
    CHECK_THROWS_WITH(write_operator_project(name, folder.path() / "p"),
                      "plugins new: the name '" + name + "' " + problem +
                          "; expected your name and the operator's in lower case, such as acme.ghost_conv");
    CHECK(std::filesystem::is_empty(folder.path()));
  };
  refused("conv", "has no dot");
  refused("mixop.conv", "begins with 'mixop', which is kept for mixop's own plugins");
  const std::string letters = "has other characters than a-z, 0-9 and '_', or a part that does not begin with a letter";
  for (const char* name : {"acme.", ".conv", "acme.Conv", "acme.3x3", "acme. conv", "acme.co/nv"})
    refused(name, letters);
  refused("acme." + std::string(60, 'a'), "is longer than 64 characters");
}

TEST_CASE("where a project cannot be written nothing is left behind", "[plugins][scaffold]") {
  const mixop::test::TemporaryFolder folder;
  const auto file = folder.write("file", std::string("x"));
  CHECK_THROWS_WITH(write_operator_project("acme.conv", file / "p"),
                    Contains("plugins new: " + (file / "p").string() + " cannot be written: "));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}
