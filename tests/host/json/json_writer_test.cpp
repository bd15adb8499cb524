#include "host/json/json_writer.hpp"

#include <limits>

#include "host/json/json.hpp"
#include "tests/catch.hpp"

namespace {

using namespace mixop;

TEST_CASE("the writer's JSON reads back, nested and escaped", "[json]") {
  for (const auto style : {JsonWriter::Style::pretty, JsonWriter::Style::compact}) {
    JsonWriter json(style);
    json.begin_object().member("text", "a \"b\"\n\\").member("list", std::vector<std::string>{"x", "y"});
    json.key("inner").begin_object().member("real", 0.1).member("whole", 3).member("truth", true).end();
    json.key("empty").begin_list().end().key("raw").raw("{\"k\": 1}").key("nothing").null().end();
    const JsonValue read = parse_json(json.text(), "written", ErrorCode::failed);
    CHECK(read.find("text")->text == "a \"b\"\n\\");
    CHECK(read.find("list")->items[1].text == "y");
    CHECK(read.find("inner")->find("real")->number == 0.1);
    CHECK(read.find("inner")->find("whole")->integer == 3);
    CHECK(read.find("inner")->find("truth")->boolean);
    CHECK(read.find("empty")->items.empty());
    CHECK(read.find("raw")->find("k")->integer == 1);
    CHECK(read.find("nothing")->is(JsonValue::Kind::null));
  }
}

TEST_CASE("compact JSON is one line, and numbers that are not finite become null", "[json]") {
  JsonWriter json(JsonWriter::Style::compact);
  json.begin_list()
      .value(std::numeric_limits<double>::quiet_NaN())
      .value(std::numeric_limits<double>::infinity())
      .value(1)
      .end();
  CHECK(json.text() == "[null, null, 1]");
}

}  // namespace
