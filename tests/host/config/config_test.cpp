#include "host/config/config.hpp"

#include "tests/catch.hpp"
#include "tests/host/config/sample_catalog.hpp"

using namespace mixop;

TEST_CASE("a configuration survives JSON and back", "[config]") {
  Config config;
  config.seed = 9223372036854775807;
  config.device = "cuda:1";
  config.data.dir = "/data/with \"quotes\" and ü";
  config.data.augment = false;
  config.space.operations = {"none", "acme.ghost_conv"};
  config.weights.lr = 1.0 / 3;
  config.weights.clip = 0;
  config.alphas.betas = {0.1, 0.2};
  config.data.name = "drawn";
  config.strategy["deriver"] = "sparse";
  config.strategy["stopper"] = "acme.ghost";
  config.options["drawn"]["classes"] = {KeyType::integer, "4"};
  config.options["drawn"]["noise"] = {KeyType::real, "0.1"};
  config.options["drawn"]["grey"] = {KeyType::boolean, "true"};
  config.options["drawn"]["shapes"] = {KeyType::list, "disc,ring"};
  config.options["acme.ghost"]["mode"] = {KeyType::text, "slow"};
  const Config back = config_from_json(to_json(config), "archive", test::sample_catalog());
  CHECK(back == config);
  CHECK(to_json(back) == to_json(config));
}

TEST_CASE("JSON shows options as values of their types under their component", "[config]") {
  Config config;
  config.options["drawn"]["classes"] = {KeyType::integer, "4"};
  config.options["drawn"]["shapes"] = {KeyType::list, "disc"};
  const JsonValue root = parse_json(to_json(config), "json", ErrorCode::failed);
  CHECK(root.find("drawn")->find("classes")->integer == 4);
  CHECK(root.find("drawn")->find("shapes")->items.at(0).text == "disc");
  CHECK(root.find("data")->find("train_portion")->number == 0.5);
}

TEST_CASE("an archived configuration that is not an object is refused", "[config]") {
  const std::string reason = "archive:1:1: expected an object of keys, found a list of 1 item";
  CHECK(test::error_of(ErrorCode::bad_data, [] { config_from_json("[1]", "archive", {}); }) == reason);
  CHECK(test::error_of(ErrorCode::usage, [] { config_from_json("[1]", "archive", {}, ErrorCode::usage); }) == reason);
}

TEST_CASE("every fault of an archived configuration is one of the data", "[config]") {
  for (const char* json : {"{", R"({"no_key": 1})", R"({"space": {"layers": "eight"}})", R"({"seed": 1, "seed": 2})"})
    CHECK(test::error_of(ErrorCode::bad_data, [&] { config_from_json(json, "archive", {}); }).rfind("archive:1:", 0) ==
          0);
}

TEST_CASE("a training's configuration survives JSON and back, with its own keys alone", "[config]") {
  Config config = default_config(RunKind::train);
  config.train = {7, 3, 0, 0.5, 0.25};
  config.weights.schedule = "exponential";
  config.weights.gamma = 0.5;
  const std::string json = to_json(config);
  CHECK(config_from_json(json, "archive", {}, ErrorCode::bad_data, RunKind::train) == config);
  for (const char* absent : {"\"search\"", "\"alphas\"", "\"strategy\"", "\"nodes\"", "\"ops\""})
    CHECK(json.find(absent) == std::string::npos);
  CHECK(test::error_of(ErrorCode::bad_data, [&] {
          config_from_json(json, "archive", {});
        }).find("belongs to mixop train, not to mixop search") != std::string::npos);
}
