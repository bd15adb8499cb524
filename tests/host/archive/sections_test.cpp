#include "host/archive/sections.hpp"

#include "tests/catch.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

namespace mixop::test_sections {
namespace {

struct Zoo {
  std::int64_t animals = 3;
  double weight = 0.5;
  std::string name = "small";
  std::string story = "once";
  std::vector<std::string> kinds{"ant", "bee"};
  std::vector<double> ages{1, 2};
  std::int64_t keepers = 0;
};

template <class Section, class Visitor>
void visit(Section& zoo, Visitor&& v) {
  v("animals", zoo.animals, 1, 5);
  v("weight", zoo.weight);
  v("name", zoo.name);
  v.text("story", zoo.story);
  v("kinds", zoo.kinds);
  v("ages", zoo.ages);
  if (v.has("keepers", zoo.keepers > 0)) v("keepers", zoo.keepers);
}

Archive stored(const Zoo& zoo, const test::TemporaryFolder& folder) {
  ArchiveBuilder builder;
  visit(zoo, SectionWriter(builder, "/zoo"));
  builder.save(folder.path() / "zoo.h5");
  return Archive::open(folder.path() / "zoo.h5");
}

TEST_CASE("a section is read as it was written, field by field", "[archive]") {
  const test::TemporaryFolder folder;
  const Zoo read = read_section<Zoo>(stored({4, 0.25, "large", "twice", {"cat"}, {}, 2}, folder), "/zoo");
  CHECK(read.animals == 4);
  CHECK(read.weight == 0.25);
  CHECK(read.name == "large");
  CHECK(read.story == "twice");
  CHECK(read.kinds == std::vector<std::string>{"cat"});
  CHECK(read.ages.empty());
  CHECK(read.keepers == 2);
}

TEST_CASE("fields that are left out are not there, and come back as they are by default", "[archive]") {
  const test::TemporaryFolder folder;
  const Archive archive = stored({}, folder);
  CHECK_FALSE(archive.has_attribute("/zoo", "keepers"));
  CHECK(read_section<Zoo>(archive, "/zoo").keepers == 0);
}

TEST_CASE("a field out of its bounds or missing is refused by its path", "[archive][hostile]") {
  const test::TemporaryFolder folder;
  CHECK_THROWS_WITH(read_section<Zoo>(stored({6}, folder), "/zoo"),
                    Catch::Matchers::EndsWith("/zoo@animals: expected 1 to 5, found 6"));
  CHECK_THROWS_WITH(read_section<Zoo>(stored({}, folder), "/other"), Catch::Matchers::Contains("/other@animals"));
}

TEST_CASE("a section lists the paths of its fields", "[archive]") {
  SectionLister lister("/zoo");
  const Zoo zoo;
  visit(zoo, lister);
  CHECK(lister.paths == std::vector<std::string>{"/zoo@animals", "/zoo@weight", "/zoo@name", "/zoo/story", "/zoo/kinds",
                                                 "/zoo/ages", "/zoo@keepers"});
}

}  // namespace
}  // namespace mixop::test_sections
