#include "host/report/page_template.hpp"

#include "mixop/error.hpp"
#include "tests/catch.hpp"

namespace {

using namespace mixop;
using Catch::Contains;

constexpr const char* kFile = "report.html";

TEST_CASE("a template is filled, and what fills it is not looked at", "[report]") {
  CHECK(filled("<@@a@@>@@b@@", {{"a", "@@b@@"}, {"b", ""}}, kFile) == "<@@b@@>");
}

TEST_CASE("a template of another version is refused", "[report][misuse]") {
  const auto refused = [](const char* page, const char* message) {
    CHECK_THROWS_WITH(filled(page, {{"a", "1"}, {"b", "2"}}, kFile),
                      Catch::StartsWith("report.html: ") && Contains(message) &&
                          Contains("it is of another version of mixop, so install that anew"));
  };
  refused("@@a@@@@b@@@@c@@", "expected once each of a, b between two @@, found 'c'");
  refused("@@a@@@@b@@@@a@@", "found 'a' again");
  refused("@@a@@", "expected @@b@@, found none");
  refused("@@a@@@@b@@ @@", "expected another @@ behind that at byte 11, found none");
}

TEST_CASE("nothing in JSON ends the script element that holds it", "[report]") {
  CHECK(within_script("[\"</script><!--&\"]") == "[\"\\u003c/script\\u003e\\u003c!--\\u0026\"]");
}

TEST_CASE("a policy's source is the SHA-256 in base64", "[report]") {
  CHECK(policy_source("") == "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
}

}  // namespace
