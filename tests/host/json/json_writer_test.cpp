#include "host/json/json_writer.hpp"

#include <limits>

#include "host/json/json.hpp"
#include "mixop/utf8.hpp"
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

TEST_CASE("names of any bytes leave the writer's JSON valid and printable", "[json]") {
  JsonWriter json;
  json.begin_object().member("a\xff\x1b[31m", "half \xe5\x9b, \u202e\xc2\x9b \xf4\x8f\xbf\xbf, \x7f, 図");
  json.key("raw").raw("{\"k\u202e\":\r\n\t1}").end();
  CHECK(is_printable(json.text().substr(2, json.text().find('\n', 2) - 2)));
  CHECK(json.text().find('\r') == std::string::npos);
  const JsonValue read = parse_json(json.text(), "written", ErrorCode::failed);
  CHECK(read.members[0].key == "a\xef\xbf\xbd\x1b[31m");
  CHECK(read.members[0].value.text == "half \xef\xbf\xbd\xef\xbf\xbd, \u202e\xc2\x9b \xf4\x8f\xbf\xbf, \x7f, 図");
  CHECK(read.find("raw")->find("k\u202e")->integer == 1);
}

TEST_CASE("a key that an object has already is written with a number", "[json]") {
  JsonWriter json(JsonWriter::Style::compact);
  json.begin_object().member("a", 1).member("a", 2).member("a (2)", 3).member("a", 4);
  json.key("in").begin_object().member("a", 5).end().member("b\xff", 6).member("b\xfe", 7).end();
  CHECK(json.text() == "{\"a\": 1, \"a (2)\": 2, \"a (2) (2)\": 3, \"a (3)\": 4, \"in\": {\"a\": 5}, "
                       "\"b\xef\xbf\xbd\": 6, \"b\xef\xbf\xbd (2)\": 7}");
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
