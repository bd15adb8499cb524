#include "host/config/layers.hpp"

#include "tests/catch.hpp"
#include "tests/host/config/sample_catalog.hpp"

using namespace mixop;
using test::error_of;

namespace {

Config with(const std::string& file, const std::vector<std::string>& sets = {}) {
  ConfigLayers layers(test::sample_catalog());
  layers.add_object(parse_json(file, "my.json", ErrorCode::usage), "my.json");
  for (const std::string& set : sets) layers.add_set(set);
  return layers.config();
}

std::string file_problem(const std::string& file) {
  return error_of(ErrorCode::usage, [&] { with(file); });
}

std::string set_problem(const std::string& set) {
  return error_of(ErrorCode::usage, [&] { with("{}", {set}); });
}

}  // namespace

TEST_CASE("an unknown key in a file names line, nearest key and its group", "[config]") {
  CHECK(file_problem("{\n  \"weights\": {\n    \"lrr\": 1}}") ==
        "my.json:3:5: unknown key 'weights.lrr'; did you mean 'weights.lr'? (known: weights.lr, weights.lr_min, "
        "weights.momentum, weights.decay, weights.clip)");
  CHECK(file_problem("{\"weight\": {\"lr\": 1}}")
            .rfind("my.json:1:13: unknown key 'weight.lr'; did you mean 'weights.lr'? (known: seed, threads, ", 0) ==
        0);
  CHECK(
      file_problem("{\"sead\": 1}").rfind("my.json:1:2: unknown key 'sead'; did you mean 'seed'? (known: seed, ", 0) ==
      0);
  CHECK(file_problem("{\"acme.shift\": {\"distance\": 2}}") ==
        "my.json:1:17: 'acme.shift.distance' is no key: an operator's options stand in its name, acme.shift:distance=1, "
        "wherever operations are named, as in space.ops");
  CHECK(file_problem("{\"nothing\": {}}").rfind("my.json:1:2: unknown key 'nothing' (known: seed, ", 0) == 0);
  CHECK(file_problem("{\"drawn\": {\"clases\": 1}}")
            .rfind("my.json:1:12: unknown key 'drawn.clases'; did you mean 'drawn.classes'?", 0) == 0);
}

TEST_CASE("a wrong type in a file names the place of the value", "[config]") {
  CHECK(file_problem("{\"space\": {\n \"channels\": \"many\"}}") ==
        "my.json:2:14: space.channels: expected a whole number from 1 to 65536, found text 'many'");
  CHECK(file_problem("{\"search\": {\"epochs\": 2.5}}") ==
        "my.json:1:23: search.epochs: expected a whole number from 1 to 1000000, found 2.5");
  CHECK(file_problem("{\"space\": {\"ops\": [1]}}") ==
        "my.json:1:19: space.ops: expected names without blanks or commas, found 1 among them");
  CHECK(file_problem("{\"seed\": {\"a\": 1}}") ==
        "my.json:1:10: seed: expected a whole number from 0 to 9223372036854775807, found an object");
  CHECK(file_problem("{\"data\": 3}") ==
        "my.json:1:2: 'data' is a group of keys, not a key; name one, as in 'data.name'");
}

TEST_CASE("a key that is given nested and dotted is refused", "[config]") {
  CHECK(file_problem("{\"data\": {\"cutout\": 3},\n\"data.cutout\": 4}") ==
        "my.json:2:1: key 'data.cutout' is already given at my.json:1:11");
}

TEST_CASE("a malformed --set says what one looks like", "[config]") {
  CHECK(set_problem("seed") == "--set seed: expected key=value, as in --set space.channels=16");
  CHECK(set_problem("=3") == "--set =3: expected key=value, as in --set space.channels=16");
  CHECK(set_problem("space.chanels=4") ==
        "--set space.chanels=4: unknown key 'space.chanels'; did you mean 'space.channels'? (known: space.name, "
        "space.channels, space.layers, space.width, space.nodes, space.ops, space.stem, "
        "space.baseline, space.alpha_init)");
  CHECK(set_problem("data=3") == "--set data=3: 'data' is a group of keys, not a key; name one, as in 'data.name'");
  CHECK(set_problem("seed=x") ==
        "--set seed=x: seed: expected a whole number from 0 to 9223372036854775807, found text 'x'");
}

TEST_CASE("list edits that change nothing are refused", "[config]") {
  const std::string ops =
      "none,max_pool_3x3,avg_pool_3x3,skip_connect,sep_conv_3x3,sep_conv_5x5,dil_conv_3x3,dil_conv_5x5";
  CHECK(set_problem("space.ops=-foo") == "--set space.ops=-foo: 'foo' is not in space.ops (" + ops + ")");
  CHECK(set_problem("space.ops=+none") == "--set space.ops=+none: 'none' is already in space.ops (" + ops + ")");
  CHECK(set_problem("space.ops=+") ==
        "--set space.ops=+: space.ops: expected a list of at least one name, found a list of 0 items");
  CHECK(set_problem("space.ops=-" + ops) ==
        "--set space.ops=-" + ops + ": space.ops: expected a list of at least one name, found a list of 0 items");
}

TEST_CASE("lists are replaced, extended and cut", "[config]") {
  CHECK(with("{}", {"space.ops=a,b"}).space.operations == std::vector<std::string>{"a", "b"});
  CHECK(with("{}", {"space.ops=a,b", "space.ops=+c,d"}).space.operations == std::vector<std::string>{"a", "b", "c", "d"});
  CHECK(with("{}", {"space.ops=a,b,c", "space.ops=-c,a"}).space.operations == std::vector<std::string>{"b"});
  CHECK(with("{}", {"data.name=drawn", "drawn.shapes=-disc"}).options.at("drawn").at("shapes").text == "square");
}

TEST_CASE("later layers win over earlier ones", "[config]") {
  const Config config =
      with("{\"seed\": 5, \"data\": {\"train_limit\": 7}, \"data.cutout\": 16}", {"seed=6", "seed=8"});
  CHECK(config.seed == 8);
  CHECK(config.data.train_limit == 7);
  CHECK(config.data.cutout == 16);
  CHECK(config.weights == WeightsConfig{});
}

TEST_CASE("text keeps its signs and commas", "[config]") {
  CHECK(with("{}", {"search.strategy=first_order@0, second_order@15"}).search.strategy ==
        "first_order@0, second_order@15");
  CHECK(with("{}", {"data.dir=-x"}).data.dir == "-x");
}

TEST_CASE("options of components are taken nested, dotted and by --set", "[config]") {
  const Config config = with("{\"drawn\": {\"classes\": 4}, \"acme.ghost\": {\"mode\": \"slow\"}}",
                             {"drawn.noise=3e-1", "data.name=drawn", "strategy.stopper=acme.ghost"});
  CHECK(config.options.at("drawn").at("classes").text == "4");
  CHECK(config.options.at("drawn").at("noise").text == "0.3");
  CHECK(config.options.at("acme.ghost").at("mode").text == "slow");
}

TEST_CASE("an option that is a text may be written as a number, a key of the program may not", "[config]") {
  for (const char* number : {"48", "0.10", "-3"}) {
    const Config config = with(std::string("{\"acme.ghost\": {\"mode\": ") + number + "}}", {"strategy.stopper=acme.ghost"});
    CHECK(config.options.at("acme.ghost").at("mode").text == number);
  }
  CHECK(file_problem("{\"acme.ghost\": {\"mode\": true}}") ==
        "my.json:1:25: acme.ghost.mode: expected text, found true");
  CHECK(file_problem("{\"data\": {\"name\": 3}}") == "my.json:1:19: data.name: expected text, found 3");
}

TEST_CASE("a configuration has all options of the components that take part, and no others", "[config]") {
  const auto mode = [](const std::vector<std::string>& sets) { return with("{}", sets).options.at("acme.ghost"); };
  CHECK(with("{}").options.empty());
  CHECK(with("{\"acme.ghost\": {\"mode\": \"slow\"}}").options.empty());
  CHECK(with("{}", {"data.name=drawn"}).options.at("drawn").size() == 4);
  CHECK(mode({"strategy.stopper=acme.ghost"}).at("mode").text == "fast");
  CHECK(mode({"search.strategy=haunted"}).at("mode").text == "slow");
  CHECK(mode({"search.strategy=haunted", "acme.ghost.mode=wild"}).at("mode").text == "wild");
  CHECK(mode({"search.strategy=haunted", "strategy.stopper=acme.ghost"}).at("mode").text == "slow");
  CHECK(with("{}", {"search.strategy=haunted", "strategy.stopper=none"}).options.empty());
}

TEST_CASE("a --set of an option of a component that takes no part is refused, of a dotted one, too", "[config]") {
  CHECK(set_problem("drawn.noise=1") ==
        "--set drawn.noise=1: this run has no part 'drawn'; it has cifar10, darts_cnn, so leave the option out or "
        "choose that part");
  CHECK(set_problem("acme.ghost.mode=slow") ==
        "--set acme.ghost.mode=slow: this run has no part 'acme.ghost'; it has cifar10, darts_cnn, so leave the option "
        "out or choose that part");
}

TEST_CASE("a training's file says nothing of components that take no part", "[config]") {
  ConfigLayers layers(test::sample_catalog(), RunKind::train);
  layers.add_object(parse_json("{\"drawn\": {\"noise\": 1}}", "my.json", ErrorCode::usage), "my.json");
  CHECK(error_of(ErrorCode::usage, [&] { (void)layers.config(); }) ==
        "my.json:1:12: this run has no part 'drawn'; it has cifar10, darts_cnn, so leave the option out or choose that "
        "part");
}

TEST_CASE("a strategy's own value of the wrong type names the strategy", "[config]") {
  OptionCatalog catalog = test::sample_catalog();
  catalog.strategies["haunted"].parts["stopper"] = {"drawn", {{"classes", "many"}}};
  ConfigLayers layers(catalog);
  layers.add_set("search.strategy=haunted");
  CHECK(error_of(ErrorCode::usage, [&] { (void)layers.config(); }) ==
        "strategy 'haunted': drawn.classes: expected a whole number, found text 'many'");
}

TEST_CASE("a declared default of the wrong type is the plugin's fault", "[config]") {
  const OptionCatalog broken{{{"odd", {{sizeof(MixopOptionSpec), MIXOP_OPTION_INTEGER, "n", "many", ""}}}}};
  CHECK(error_of(ErrorCode::plugin, [&] { ConfigLayers layers(broken); }) ==
        "a declared default: odd.n: expected a whole number, found text 'many'; the plugin must be fixed");
}

TEST_CASE("keys of the other command name their counterpart, or are to be left out", "[config]") {
  const auto refused = [](RunKind kind, const std::string& set) {
    ConfigLayers layers({}, kind);
    return error_of(ErrorCode::usage, [&] { layers.add_set(set); });
  };
  CHECK(refused(RunKind::train, "search.epochs=3") ==
        "--set search.epochs=3: 'search.epochs' belongs to mixop search, not to mixop train; set train.epochs");
  CHECK(refused(RunKind::search, "train.batch=3") ==
        "--set train.batch=3: 'train.batch' belongs to mixop train, not to mixop search; set search.batch");
  CHECK(refused(RunKind::train, "search.strategy=x") ==
        "--set search.strategy=x: 'search.strategy' belongs to mixop search, not to mixop train; leave it out");
  CHECK(refused(RunKind::train, "alphas=x") ==
        "--set alphas=x: 'alphas' belongs to mixop search, not to mixop train; leave it out");
  for (const char* key : {"space.ops", "space.nodes", "space.alpha_init", "alphas.lr", "strategy.deriver"})
    CHECK(refused(RunKind::train, std::string(key) + "=1").find("leave it out") != std::string::npos);
  for (const char* key : {"weights.schedule", "weights.gamma", "train.auxiliary", "train.drop_path"})
    CHECK(refused(RunKind::search, std::string(key) + "=1").find("leave it out") != std::string::npos);
  CHECK(refused(RunKind::train, "train.epoch=3").find("did you mean 'train.epochs'?") != std::string::npos);
}

TEST_CASE("a file's keys of the other command are refused at their place", "[config]") {
  const auto refused = [](const std::string& text) {
    ConfigLayers layers({}, RunKind::train);
    return error_of(ErrorCode::usage,
                    [&] { layers.add_object(parse_json(text, "my.json", ErrorCode::usage), "my.json"); });
  };
  CHECK(refused("{\"search\": {\"epochs\": 3}}") ==
        "my.json:1:13: 'search.epochs' belongs to mixop search, not to mixop train; set train.epochs");
  CHECK(refused("{\"alphas\": {}}") ==
        "my.json:1:2: 'alphas' belongs to mixop search, not to mixop train; leave it out");
  CHECK(refused("{\"space\": {\"nodes\": 3}}") ==
        "my.json:1:12: 'space.nodes' belongs to mixop search, not to mixop train; leave it out");
}
