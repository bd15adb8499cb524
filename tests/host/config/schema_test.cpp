#include "host/config/schema.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "host/config/config.hpp"
#include "tests/catch.hpp"
#include "tests/host/config/sample_catalog.hpp"

using namespace mixop;
using test::error_of;

namespace {

KeySpec key(const std::string& name) {
  for (const KeySpec& spec : all_keys(test::sample_catalog()))
    if (spec.key == name) return spec;
  FAIL("no key " << name);
  return {};
}

std::string problem(const std::string& name, const std::string& text) {
  return error_of(ErrorCode::usage, [&] { value_from_text(key(name), text, "here"); });
}

void leaves(const JsonValue& value, const std::string& path, std::vector<std::string>& into) {
  if (!value.is(JsonValue::Kind::object)) return into.push_back(path);
  for (const JsonMember& member : value.members)
    leaves(member.value, path.empty() ? member.key : path + "." + member.key, into);
}

}  // namespace

TEST_CASE("every wrong type and range names key, expected and found", "[config]") {
  CHECK(problem("seed", "abc") == "here: seed: expected a whole number from 0 to 9223372036854775807, found text 'abc'");
  CHECK(problem("seed", "1.5") == "here: seed: expected a whole number from 0 to 9223372036854775807, found 1.5");
  CHECK(problem("seed", "-1") == "here: seed: expected a whole number from 0 to 9223372036854775807, found -1");
  CHECK(problem("seed", "9223372036854775808") ==
        "here: seed: expected a whole number from 0 to 9223372036854775807, found 9223372036854775808");
  CHECK(problem("search.epochs", "0") == "here: search.epochs: expected a whole number from 1 to 1000000, found 0");
  CHECK(problem("weights.lr", "nan") == "here: weights.lr: expected a number from 0 to 1000, found text 'nan'");
  CHECK(problem("weights.lr", "1e999") == "here: weights.lr: expected a number from 0 to 1000, found text '1e999'");
  CHECK(problem("weights.momentum", "1") == "here: weights.momentum: expected a number from 0 to below 1, found 1");
  CHECK(problem("data.augment", "yes") == "here: data.augment: expected true or false, found text 'yes'");
  CHECK(problem("space.stem", "cifr") == "here: space.stem: expected one of auto, cifar, imagenet, found text 'cifr'");
  CHECK(problem("device", "cuda:N") == "here: device: expected one of auto, cpu, cuda, cuda:N, found text 'cuda:N'");
  CHECK(problem("device", "cuda:") == "here: device: expected one of auto, cpu, cuda, cuda:N, found text 'cuda:'");
  CHECK(problem("device", "cuda:007") ==
        "here: device: expected one of auto, cpu, cuda, cuda:N, found text 'cuda:007'");
  CHECK(problem("data.name", "a\nb") == "here: data.name: expected text without control characters, found text 'a\\x0ab'");
  CHECK(problem("space.ops", "") == "here: space.ops: expected a list of at least one name, found a list of 0 items");
  CHECK(problem("space.ops", "a,,b") ==
        "here: space.ops: expected names without blanks or commas, found text '' among them");
  CHECK(problem("space.ops", "a,b,a") == "here: space.ops: 'a' is listed twice; remove one");
  CHECK(problem("alphas.betas", "0.5") ==
        "here: alphas.betas: expected 2 numbers from 0 to below 1, found a list of 1 item");
  CHECK(problem("alphas.betas", "0.5,1") ==
        "here: alphas.betas: expected 2 numbers from 0 to below 1, found a list of 2 items: 0.5, 1");
  CHECK(problem("drawn.classes", "x") == "here: drawn.classes: expected a whole number, found text 'x'");
}

TEST_CASE("text that is not UTF-8 is refused", "[config]") {
  const auto said = [](const std::string& name, const std::string& offset) {
    return "here: " + name + ": expected text in UTF-8, found bytes that are not at offset " + offset +
           "; use a name in UTF-8";
  };
  CHECK(problem("data.dir", "/x\xff") == said("data.dir", "2"));
  CHECK(problem("data.dir", "\xc3") == said("data.dir", "0"));
  CHECK(problem("data.dir", "ab\xed\xa0\x80") == said("data.dir", "2"));
  CHECK(problem("space.ops", "none,\xc0\xaf") == said("space.ops", "0"));
  CHECK(problem("seed", "\x80") == said("seed", "0"));
}

TEST_CASE("allowed values pass and keep their text", "[config]") {
  const std::pair<const char*, const char*> cases[] = {{"seed", "9223372036854775807"},
                                                       {"device", "cuda:12"},
                                                       {"device", "cuda:0"},
                                                       {"data.dir", "/d\u00e4ten"},
                                                       {"weights.lr", "0.025"},
                                                       {"data.dir", ""},
                                                       {"alphas.betas", "0.5,0.999"},
                                                       {"space.ops", "none,b"},
                                                       {"data.augment", "true"},
                                                       {"drawn.shapes", ""},
                                                       {"acme.ghost.mode", "slow, too"}};
  for (const auto& [name, text] : cases) {
    INFO(name);
    CHECK(text_of_value(key(name), value_from_text(key(name), text, "here")) == text);
  }
}

TEST_CASE("the schema and the configuration have the same keys in the same order", "[config]") {
  for (const RunKind kind : {RunKind::search, RunKind::train}) {
    std::vector<std::string> written, declared;
    leaves(parse_json(to_json(default_config(kind)), "defaults", ErrorCode::failed), "", written);
    for (const KeySpec& spec : config_keys(kind)) declared.push_back(spec.key);
    CHECK(written == declared);
  }
}

TEST_CASE("numbers of a training have their ranges", "[config]") {
  const auto refused = [](const std::string& name, const std::string& text) {
    for (const KeySpec& spec : config_keys(RunKind::train))
      if (spec.key == name) return error_of(ErrorCode::usage, [&] { value_from_text(spec, text, "here"); });
    return std::string("no such key");
  };
  CHECK(refused("train.epochs", "0") == "here: train.epochs: expected a whole number from 1 to 1000000, found 0");
  CHECK(refused("train.batch", "0") == "here: train.batch: expected a whole number from 1 to 1000000, found 0");
  CHECK(refused("train.drop_path", "1") == "here: train.drop_path: expected a number from 0 to below 1, found 1");
  CHECK(refused("train.label_smoothing", "-1") ==
        "here: train.label_smoothing: expected a number from 0 to below 1, found -1");
  CHECK(refused("train.auxiliary", "-1") == "here: train.auxiliary: expected a number from 0 to 1000, found -1");
  CHECK(refused("weights.schedule", "step") ==
        "here: weights.schedule: expected one of cosine, exponential, linear, constant, found text 'step'");
  CHECK(refused("weights.gamma", "1.5") == "here: weights.gamma: expected a number from 0 to 1, found 1.5");
}

TEST_CASE("help lists every key with allowed values and default", "[config]") {
  const std::string help = describe_keys(test::sample_catalog());
  CHECK(help.find("  space.channels\n      Images: Channels of the first cells.\n"
                  "      a whole number from 1 to 65536; default 16\n") != std::string::npos);
  CHECK(help.find("  data.dir\n") != std::string::npos);
  CHECK(help.find("; default empty\n") != std::string::npos);
  CHECK(help.find("  drawn.noise\n      For tests.\n      a number; default 0.5\n") != std::string::npos);
}

TEST_CASE("the page on the configuration describes every key as the schema does", "[config]") {
  std::ifstream in(MIXOP_SOURCE_DIR "/docs/config.md");
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  const auto default_in = [](RunKind kind, const std::string& key) -> std::string {
    for (const KeySpec& spec : config_keys(kind))
      if (spec.key == key) return spec.default_text.empty() ? "empty" : "`" + spec.default_text + "`";
    return "-";
  };
  for (const RunKind kind : {RunKind::search, RunKind::train}) {
    for (const KeySpec& spec : config_keys(kind)) {
      const std::string row = "| `" + spec.key + "` | " + allowed_values(spec) + " | " +
                              default_in(RunKind::search, spec.key) + " | " + default_in(RunKind::train, spec.key) +
                              " | " + spec.help + " |";
      INFO(row);
      CHECK(page.find(row) != std::string::npos);
    }
  }
}
