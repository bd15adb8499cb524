#include "host/search/stored_fields.hpp"

#include <fstream>
#include <sstream>

#include "tests/catch.hpp"

namespace {

using namespace mixop;

std::string page() {
  std::ifstream file(MIXOP_SOURCE_DIR "/docs/archive-format.md");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

template <class Section>
std::vector<std::string> paths_of(const std::string& group) {
  const Section section;
  SectionLister lister(group);
  visit(section, lister);
  return lister.paths;
}

TEST_CASE("the page on the format names every field of every section", "[search][archive]") {
  const std::string text = page();
  std::vector<std::string> paths = paths_of<LoopPosition>("/position");
  for (const auto& more :
       {paths_of<StoredSearch>("/position"), paths_of<StoredTraining>("/position"), paths_of<NetworkData>("/data"), paths_of<Provenance>("/provenance")})
    paths.insert(paths.end(), more.begin(), more.end());
  CHECK(paths.size() == 33);
  for (const std::string& path : paths) {
    INFO(path);
    CHECK(text.find("`" + path.substr(path.find_first_of("@/", 1) + 1) + "`") != std::string::npos);
  }
}

}  // namespace
