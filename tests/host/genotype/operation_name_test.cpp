#include "host/genotype/operation_name.hpp"

#include "host/genotype/genotype_json.hpp"
#include "host/genotype/genotype_text.hpp"
#include "mixop/error.hpp"
#include "tests/catch.hpp"

using namespace mixop;
using Catch::Contains;

TEST_CASE("an operation's name may have its plugin before it and its options behind it", "[genotype]") {
  for (const char* name : {"sep_conv_3x3", "acme.conv", "acme.plugin/sep_conv_3x3", "acme.shift:distance=2",
                           "acme.plugin/shift:distance=-2:mode=up:rate=1e+3:part=0.5"})
    CHECK(is_operation_name(name));
  for (const char* name : {"", "/", "a/", "/b", "a/b/c", "a b/c", ":", "a:", "a:b", "a:b=", "a:=1", ":b=1",
                           "a:b=1:", "a: b=1", "a:b=1 ", "a:b=x/y", "a:b=1,2", "a:b=c=d"})
    CHECK_FALSE(is_operation_name(name));
}

TEST_CASE("a component's name has no options", "[genotype]") {
  for (const char* name : {"softmax", "acme.parts/softmax"}) CHECK(is_component_name(name));
  for (const char* name : {"", "a/b/c", "a:b=1", "a b"}) CHECK_FALSE(is_component_name(name));
}

TEST_CASE("an operation's name tells its component and its options", "[genotype]") {
  CHECK(component_of("skip_connect") == "skip_connect");
  CHECK(component_of("acme.plugin/shift:distance=2") == "acme.plugin/shift");
  CHECK(options_in("skip_connect").empty());
  CHECK(options_in("a:b=-1:c=x+y") == std::map<std::string, std::string>{{"b", "-1"}, {"c", "x+y"}});
  CHECK_THROWS_WITH(options_in("a:b=1:b=2"), "operation 'a:b=1:b=2': option 'b' stands twice; remove one");
  CHECK_THROWS_WITH(options_in("a:b"), Contains("NAME:option=value, found 'a:b'"));
}

TEST_CASE("a genotype keeps the options of its operations", "[genotype]") {
  const std::string gene = "acme.plugin/shift:distance=2";
  const Genotype genotype{{{"normal", {{gene, 0, 2}, {"none", 1, 2}}, {2}, 2}}};
  CHECK(genotype_from_json(genotype_to_json(genotype), "g.json", ErrorCode::usage) == genotype);
}
