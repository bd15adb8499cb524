#include "host/session/going_on.hpp"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

#include <algorithm>

#include "host/config/layers.hpp"
#include "host/json/json.hpp"
#include "host/runtime/fused/cpu/kernels.hpp"
#include "host/search/stored_fields.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

/// What changes no result, but for the rounding of sums.
const std::vector<std::string> kAnywhere = {"device", "threads", "data.workers", "data.dir"};

std::string key_of_assignment(const std::string& assignment) {
  return std::string(trimmed(std::string_view(assignment).substr(0, assignment.find('='))));
}

bool is_one_of(const std::vector<std::string>& keys, const std::string& assignment) {
  return std::find(keys.begin(), keys.end(), key_of_assignment(assignment)) != keys.end();
}

ConfigLayers layers_of(const Config& archived, const OptionCatalog& catalog) {
  ConfigLayers layers(catalog, archived.kind);
  layers.add_object(parse_json(to_json(archived), "the archive's config", ErrorCode::bad_data), "the archive's config");
  return layers;
}

std::int64_t epochs_of(const Config& config) {
  return config.kind == RunKind::search ? config.search.epochs : config.train.epochs;
}

std::string epochs_key(const Config& config) { return std::string(run_kind_name(config.kind)) + ".epochs"; }

[[noreturn]] void refuse_more(const std::string& problem) { throw Error(ErrorCode::usage, "--continue: " + problem); }

/// Whether a run may go on with more epochs and another value of a key: what the network is and what it learns from
/// stays.
bool may_change(const std::string& assignment, const Config& config) {
  if (is_one_of(kAnywhere, assignment) || is_one_of({epochs_key(config)}, assignment)) return true;
  const auto is_below = [&](const char* section) { return key_of_assignment(assignment).rfind(section, 0) == 0; };
  if (config.kind == RunKind::search) return is_below("weights.") || is_below("alphas.");
  return is_below("weights.") || is_one_of({"train.nonmono", "train.rollbacks"}, assignment);
}

std::string changeable(const Config& config) {
  return epochs_key(config) + ", weights.*" +
         (config.kind == RunKind::train ? ", train.nonmono, train.rollbacks" : ", alphas.*") +
         ", device, threads or data.workers";
}

/// A run that has not come to its end is not one to go on with.
void require_finished(const Archive& archive, const Config& archived, std::int64_t done) {
  const bool search = archived.kind == RunKind::search;
  if (const std::string reason = search ? read_section<StoredSearch>(archive, "/position").stop_reason : ""; !reason.empty())
    refuse_more(archive.name() + " was stopped by its strategy (" + reason +
                "), and more epochs would not go on; start a new search with another strategy.stopper");
  if (done < epochs_of(archived))
    refuse_more(archive.name() + " has " + std::to_string(done) + " of its " + std::to_string(epochs_of(archived)) +
                " epochs; finish it by --resume");
}

}  // namespace

Config resumed_config(const ConfigRequest& request, const Config& archived, const OptionCatalog& catalog,
                      const std::function<Config()>& asked) {
  ConfigLayers layers = layers_of(archived, catalog);
  bool all = request.preset_or_file.empty();
  for (const std::string& assignment : request.sets) {
    if (is_one_of(kAnywhere, assignment))
      layers.add_set(assignment);
    else
      all = false;
  }
  const Config config = layers.config();
  if (all) return config;
  Config whole = asked();
  whole.device = config.device;
  whole.threads = config.threads;
  whole.data.workers = config.data.workers;
  whole.data.dir = config.data.dir;
  if (!(whole == config))
    throw Error(ErrorCode::usage,
                "--resume goes on with the archive's own configuration, and the command line means another; it may "
                "change " +
                    joined(kAnywhere) +
                    " alone, and --continue adds epochs to a finished run; leave preset and "
                    "other --set out, or start a new run");
  return config;
}

Config continued_config(const ConfigRequest& request, const Config& archived, const Archive& archive,
                        const OptionCatalog& catalog) {
  if (!request.preset_or_file.empty())
    refuse_more("goes on with the archive's own configuration, found '" + printable(request.preset_or_file) + "'; leave it out");
  const std::int64_t done = archive.integer("/position", "epoch");
  require_finished(archive, archived, done);
  ConfigLayers layers = layers_of(archived, catalog);
  for (const std::string& assignment : request.sets) {
    if (!may_change(assignment, archived))
      refuse_more("--set " + assignment + ": expected " + changeable(archived) +
                  "; what the network is and what it learns from stays, so leave it out");
    layers.add_set(assignment);
  }
  Config config = layers.config();
  if (epochs_of(config) <= done)
    refuse_more("expected --set " + epochs_key(config) + "=N above the " + std::to_string(done) + " epochs that " +
                archive.name() + " has, found " + std::to_string(epochs_of(config)));
  if (config.kind == RunKind::search) return config;
  if (config.train.rollbacks > 0 && config.train.keep != "best")
    refuse_more("train.rollbacks: expected 0, for the archive's train.keep is " + config.train.keep +
                " and a training rolls back to its best network");
  if (config.train.nonmono > 0 && !archive.has("/metrics/valid_loss"))
    refuse_more("train.nonmono: expected 0, for no records are held out in " + archive.name());
  return config;
}

std::vector<std::string> inexact_changes(const Archive& archive, const Config& config, const std::string& device) {
  std::vector<std::string> lines;
  const auto compare = [&](const std::string& what, const std::string& before, const std::string& now) {
    if (before != now)
      lines.push_back("the archive was written with " + what + " " + before + ", and this run has " + now +
                      ": sums are rounded in another way, so that the same bits are not promised");
  };
  compare("LibTorch", archive.text("/provenance", "libtorch"), TORCH_VERSION);
  compare("device", archive.text("/provenance", "device"), device);
  compare("threads", std::to_string(archive.integer("/provenance", "threads")), std::to_string(at::get_num_threads()));
  compare("instruction set", archive.text("/provenance", "cpu_capability"), at::get_cpu_capability());
  if (config.execution == "fused" && device == "cpu")
    compare("kernels for", archive.text("/provenance", "kernels"), cpu::kernels<float>().name);
  return lines;
}

}  // namespace mixop
