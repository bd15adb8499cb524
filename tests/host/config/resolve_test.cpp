#include "host/config/resolve.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "host/text/whole_file.hpp"

#include "host/text/text.hpp"
#include "tests/catch.hpp"
#include "tests/host/config/sample_catalog.hpp"
#include "tests/host/plugins/temporary_folder.hpp"

using namespace mixop;
using test::error_of;
using test::TemporaryFolder;

namespace {

const std::vector<std::filesystem::path> kPresets{MIXOP_SOURCE_DIR "/host/presets"};

std::string problem(const ConfigRequest& request) {
  return error_of(ErrorCode::usage, [&] { resolve_config(request, test::sample_catalog()); });
}

}  // namespace

TEST_CASE("an unknown preset lists the known ones", "[config]") {
  std::vector<std::string> names;
  for (const PresetInfo& preset : list_presets(kPresets)) names.push_back(preset.name);
  CHECK(problem({"darts-cifar", {}, kPresets}) ==
        "unknown preset 'darts-cifar'; did you mean 'darts-cifar10'? (known: " + joined(names) +
            "); a file's name ends in .json or holds a '/'");
  CHECK(problem({"quick", {}, {"/no/such/folder"}}) ==
        "/no/such/folder: the folder of presets cannot be read: No such file or directory");
}

TEST_CASE("presets come from several folders, the first of which decides on a name", "[config]") {
  const TemporaryFolder folder;
  const std::string own = R"({"summary": "Mine.", "command": "search", "seed": 5})";
  folder.write("mine.json", own);
  folder.write("quick.json", own);
  const auto broken = folder.write("broken.json", std::string("{"));
  std::vector<std::filesystem::path> folders = kPresets;
  folders.push_back(folder.path());
  CHECK(resolve_config({"mine", {}, folders}, {}).seed == 5);
  CHECK(resolve_config({"quick", {}, folders}, {}).seed != 5);
  const auto listed = list_presets(folders);
  CHECK(listed.size() == list_presets(kPresets).size() + 2);
  const auto found = std::find_if(listed.begin(), listed.end(), [](const auto& one) { return one.name == "broken"; });
  REQUIRE(found != listed.end());
  CHECK(found->summary.rfind("cannot be used: " + broken.string() + ":1:2: ", 0) == 0);
}

TEST_CASE("what is no regular file of a plain name, or may be written by everybody, is no preset", "[config][hostile]") {
  const TemporaryFolder folder;
  const std::string own = R"({"seed": 5})";
  REQUIRE(::mkfifo((folder.path() / "pipe.json").c_str(), 0600) == 0);
  std::filesystem::permissions(folder.write("shared.json", own), std::filesystem::perms(0666));
  folder.write("two\nlines.json", own);
  std::filesystem::create_directory(folder.path() / "folder.json");
  CHECK(list_presets({folder.path()}).empty());
  CHECK(problem({"shared", {}, {folder.path()}}).rfind("unknown preset 'shared'", 0) == 0);
}

TEST_CASE("a file that is there is read whatever it is called, but for the name of a preset", "[config]") {
  const TemporaryFolder folder;
  for (const char* name : {"conf", "own.txt", "quick"}) folder.write(name, std::string("{\"seed\": 7}"));
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  CHECK(resolve_config({"conf", {}, kPresets}, {}).seed == 7);
  CHECK(resolve_config({"own.txt", {}, kPresets}, {}).seed == 7);
  CHECK(resolve_config({"quick", {}, kPresets}, {}).seed != 7);
  std::filesystem::current_path(before);
}

TEST_CASE("a missing config file is named", "[config]") {
  CHECK(problem({"absent.json", {}, kPresets}) == "absent.json: no such file");
  CHECK(problem({"no/such", {}, kPresets}) == "no/such: no such file");
}

TEST_CASE("reserved fields must be text and presets stand alone", "[config]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("a.json", std::string("{\"summary\": 3}")).string();
  CHECK(problem({file, {}, kPresets}) == file + ":1:13: summary: expected text, found 3");
  const std::string base = folder.write("b.json", std::string("{\"preset\": \"quik\"}")).string();
  CHECK(problem({base, {}, kPresets}).rfind(base + ":1:12: unknown preset 'quik'; did you mean 'quick'?", 0) == 0);
  CHECK(problem({"b", {}, {folder.path()}}) == base + ":1:12: a preset cannot build on another preset");
}

TEST_CASE("the layers are defaults, preset, file, sets", "[config]") {
  const TemporaryFolder folder;
  folder.write("base.json", std::string("{\"seed\": 3, \"space\": {\"channels\": 3, \"layers\": 3}}"));
  const auto file =
      folder.write("mine.json", std::string("{\"preset\": \"base\", \"space\": {\"channels\": 4, \"layers\": 4}}"));
  const Config config = resolve_config({file.string(), {"space.layers=5"}, {folder.path()}}, {});
  CHECK(config.seed == 3);
  CHECK(config.space.channels == 4);
  CHECK(config.space.layers == 5);
  CHECK(config.space.nodes == 4);
}

TEST_CASE("no source means the defaults", "[config]") {
  CHECK(resolve_config({"", {}, kPresets}, {}) == Config{});
  CHECK(config_text({"", {}, kPresets}).empty());
  CHECK(config_text({"quick", {}, kPresets}) == *whole_file(kPresets.front() / "quick.json"));
  ConfigRequest piped{"/dev/fd/63", {}, kPresets};
  piped.text = "{\"seed\": 7}";
  CHECK(config_text(piped) == *piped.text);
}

TEST_CASE("the presets darts-cifar10 hold the published hyper-parameters of both orders", "[config]") {
  CHECK(resolve_config({"darts-cifar10-first-order", {}, kPresets}, {}) == Config{});
  Config second;
  second.search.strategy = "second_order";
  CHECK(resolve_config({"darts-cifar10", {}, kPresets}, {}) == second);
}

TEST_CASE("a search of which nothing is said asks for a preset; a training has its genotype", "[config][misuse]") {
  const auto asked = [](const ConfigRequest& request) {
    return error_of(ErrorCode::usage, [&] { expect_described(request); });
  };
  const std::string search = asked({"", {"seed=3", "search.epochs=1"}, kPresets});
  CHECK(search.rfind("a preset or a config file is expected, which says what to search, or --set space.name=S, which "
                     "searches a space as it is by default; nothing was found. The presets:\n  dartopti-inceptionv4",
                     0) == 0);
  for (const PresetInfo& preset : list_presets(kPresets)) {
    INFO(preset.name);
    CHECK((search.find("  " + preset.name + "  ") != std::string::npos) == (preset.command == "search"));
    CHECK((search.find(preset.summary) != std::string::npos) == (preset.command == "search"));
  }
  for (const ConfigRequest& described : std::vector<ConfigRequest>{{"quick", {}, kPresets},
                                                                   {"./mine.json", {}, kPresets},
                                                                   {"", {"space.name=darts_cnn"}, kPresets},
                                                                   {"", {}, kPresets, RunKind::train}})
    CHECK(asked(described).empty());
}

TEST_CASE("a preset for the other command is refused", "[config]") {
  const auto refused = [](const std::string& preset, const std::string& command, RunKind kind) {
    const std::string text = problem({preset, {}, kPresets, kind});
    const std::string said = ": '" + preset + "' is for mixop " + command + ", not for mixop " + run_kind_name(kind) +
                             "; mixop list presets says which preset is for which";
    return text.rfind(kPresets.front().string() + "/" + preset + ".json:3:", 0) == 0 && text.find(said) != std::string::npos;
  };
  CHECK(refused("darts-cifar10", "search", RunKind::train));
  CHECK(refused("quick", "search", RunKind::train));
  CHECK(refused("darts-cifar10-train", "train", RunKind::search));
}

TEST_CASE("a file may say which command it is for", "[config]") {
  const TemporaryFolder folder;
  const std::string file = folder.write("a.json", std::string("{\"command\": \"train\"}")).string();
  CHECK(problem({file, {}, kPresets, RunKind::train}).empty());
  CHECK(problem({file, {}, kPresets}) == file +
                                             ":1:13: 'a' is for mixop train, not for mixop search; mixop list "
                                             "presets says which preset is for which");
  const std::string odd = folder.write("b.json", std::string("{\"command\": \"tran\"}")).string();
  CHECK(problem({odd, {}, kPresets}) == odd + ":1:13: command: expected search or train, found 'tran'");
  const std::string base = folder.write("c.json", std::string("{\"preset\": \"darts-cifar10\"}")).string();
  CHECK(problem({base, {}, kPresets, RunKind::train}).find("'darts-cifar10' is for mixop search") != std::string::npos);
}

TEST_CASE("a training without a preset is the published one on CIFAR-10", "[config]") {
  const Config config = resolve_config({"", {}, kPresets, RunKind::train}, {});
  CHECK(config == resolve_config({"darts-cifar10-train", {}, kPresets, RunKind::train}, {}));
  CHECK(config.data.train_portion == 1);
  CHECK(config.data.cutout == 16);
  CHECK(config.space.channels == 36);
  CHECK(config.space.layers == 20);
  CHECK(config.train == TrainConfig{600, 96, 0.4, 0.2, 0});
  CHECK(config.weights == WeightsConfig{0.025, "cosine", 0, 0.97, 0, 0.9, 3e-4, 5});
}

TEST_CASE("the trainings on CIFAR-100 and ImageNet hold the published hyper-parameters", "[config]") {
  const auto preset = [](const char* name) { return resolve_config({name, {}, kPresets, RunKind::train}, {}); };
  Config hundred = preset("darts-cifar100-train");
  CHECK(hundred.data.name == "cifar100");
  hundred.data.name = "cifar10";
  CHECK(hundred == preset("darts-cifar10-train"));
  const Config imagenet = preset("darts-imagenet-train");
  CHECK(imagenet.data.name == "imagenet");
  CHECK(imagenet.data.cutout == 0);
  CHECK(imagenet.space.channels == 48);
  CHECK(imagenet.space.layers == 14);
  CHECK(imagenet.train == TrainConfig{250, 128, 0.4, 0, 0.1});
  CHECK(imagenet.weights.lr == 0.1);
  CHECK(imagenet.weights.schedule == "exponential");
  CHECK(imagenet.weights.gamma == 0.97);
  CHECK(imagenet.weights.decay == 3e-5);
  CHECK(imagenet.weights.clip == 5);
}

TEST_CASE("defaults of a space that no search can have are the plugin's fault", "[config][misuse]") {
  const auto problem = [](const char* key, const char* text) {
    return error_of(ErrorCode::plugin, [&] { (void)default_keys({{"wide"}, "first_order", {{key, text}}}, "chain"); });
  };
  CHECK(problem("space.layer", "15") ==
        "the space 'chain': its default space.layer=15: a search has no such key; the plugin must be fixed");
  CHECK(problem("space.layers", "none") ==
        "the space 'chain': its default space.layers=none: space.layers: expected a whole number from 1 to 1000, found "
        "text 'none'; the plugin must be fixed");
}

TEST_CASE("a space's own defaults stand over the program's and under everything that is said", "[config]") {
  OptionCatalog catalog = test::sample_catalog();
  catalog.spaces["chain"] = default_keys({{"wide", "narrow"}, "second_order", {{"space.layers", "15"}}}, "chain");
  const auto resolved = [&](std::vector<std::string> sets) {
    return resolve_config({"", std::move(sets), kPresets}, catalog);
  };
  const Config config = resolved({"space.name=chain"});
  CHECK(config.space.operations == std::vector<std::string>{"wide", "narrow"});
  CHECK(config.search.strategy == "second_order");
  CHECK(config.space.layers == 15);
  CHECK(resolved({"space.name=chain", "space.layers=6"}).space.layers == 6);
  CHECK(resolve_config({"quick", {"space.name=chain"}, kPresets}, catalog).space.layers != 15);
  CHECK(resolve_config({"", {"space.name=chain"}, kPresets, RunKind::train}, catalog).space.layers == 15);
  CHECK(describe_keys(catalog).find("default 8 (chain: 15)") != std::string::npos);
  CHECK(resolved({"space.ops=+flat", "space.name=chain"}).space.operations ==
        std::vector<std::string>{"wide", "narrow", "flat"});
  CHECK(resolved({"space.name=chain", "search.strategy=first_order"}).search.strategy == "first_order");
  CHECK(error_of(ErrorCode::usage, [&] { resolved({"space.name=chain", "space.ops=-none"}); }) ==
        "--set space.ops=-none: 'none' is not in space.ops (wide,narrow)");
}
