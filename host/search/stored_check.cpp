#include "host/search/stored_check.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>

#include "host/json/json.hpp"
#include "host/search/stored_fields.hpp"
#include "host/search/stored_tensor.hpp"
#include "host/text/numbers.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

/// The number of epochs in the resolved config, which may hold keys of plugins that are not loaded.
std::int64_t configured_epochs(const Archive& archive, const ArchiveKind& kind) {
  const std::string where = archive.name() + ": " + stored::resolved_config;
  const JsonValue root = parse_json(archive.text(stored::resolved_config), where, ErrorCode::bad_data);
  const JsonValue* section = root.find(run_kind_name(kind.run));
  const JsonValue* epochs = section == nullptr ? nullptr : section->find("epochs");
  if (epochs == nullptr || !epochs->is(JsonValue::Kind::integer) || epochs->integer < 1)
    refuse(archive, stored::resolved_config, "expected a number of epochs from 1 on in " + kind.key("epochs"));
  return epochs->integer;
}

}  // namespace

void refuse(const Archive& archive, const std::string& path, const std::string& what) {
  throw Error(ErrorCode::bad_data, archive.name() + ": " + path + ": " + what);
}

void require_finite(const Archive& archive, const std::string& path) {
  if (!get_tensor(archive, path).isfinite().all().item<bool>())
    refuse(archive, path, "holds values that are not finite");
}

namespace stored {

bool is_of_kind(const Archive& archive, const ArchiveKind& kind) {
  if (!archive.has_attribute("/", "layout")) return false;
  const Attribute layout = archive.attribute("/", "layout");
  const std::string* text = std::get_if<std::string>(&layout);
  return text != nullptr && text->rfind(kind.name + std::string("/"), 0) == 0;
}

void check_layout(const Archive& archive, const ArchiveKind& kind) {
  const std::string found = archive.text("/", "layout");
  const std::string version = is_of_kind(archive, kind) ? found.substr(std::string(kind.name).size() + 1) : "";
  const unsigned number = number_of<unsigned>(version).value_or(0);
  if (number == 0)
    refuse(archive, "/@layout",
           std::string("expected ") + kind.what + ", " + kind.layout() + ", found '" + excerpt(found) + "'");
  if (number > kind.version)
    refuse(archive, "/@layout", found + "; this program reads " + kind.layout() + ", so use a newer one");
}

void check_position(const Archive& archive, const ArchiveKind& kind, bool equal_epochs) {
  const std::int64_t epochs = configured_epochs(archive, kind);
  const auto position = read_section<LoopPosition>(archive, "/position");
  const std::int64_t epoch = position.at.epoch, step = position.at.step, in_epoch = position.step_in_epoch;
  const auto within = [&](const char* name, std::int64_t value, std::int64_t least, std::int64_t most) {
    require_within(archive, "/position", name, value, least, most);
  };
  within("epoch", epoch, 0, epochs);
  within("step_in_epoch", in_epoch, 0, epoch == epochs ? 0 : step);
  const std::int64_t whole = step - in_epoch;
  const bool fits =
      epoch == 0 ? whole == 0 : whole >= epoch && (!equal_epochs || (whole % epoch == 0 && in_epoch <= whole / epoch));
  if (!fits)
    refuse(archive, "/position@step",
           std::to_string(step) + " steps, " + std::to_string(in_epoch) +
               " of them in the epoch under way, do not make " + std::to_string(epoch) + " epochs " +
               (equal_epochs ? "of one length" : "before it"));
  const EpochSums& sums = position.sums;
  within("samples", sums.samples, in_epoch, in_epoch == 0 ? 0 : sections::kAny);
  within("correct", sums.correct, 0, sums.samples);
  if (!std::isfinite(sums.loss)) refuse(archive, "/position@loss_sum", "is not finite");
}

NetworkData archived_data(const Archive& archive) {
  const auto data = read_section<NetworkData>(archive, "/data");
  if (data.shape.channels == 0) return data;
  check_count(archive, "/data/class_names", static_cast<std::uint64_t>(data.classes), data.class_names.size(), "each class");
  for (const char* name : {"/data/mean", "/data/deviation"}) {
    check_count(archive, name, static_cast<std::uint64_t>(data.shape.channels), archive.array(name).count(), "each channel");
    require_finite(archive, name);
  }
  if (!(get_tensor(archive, "/data/deviation") > 0).all().item<bool>())
    refuse(archive, "/data/deviation", "holds values that are not above 0");
  if (digest_of_names(data.class_names) != data.class_digest)
    refuse(archive, "/data@class_digest", "is not that of /data/class_names");
  return data;
}

void check_count(const Archive& archive, const std::string& path, std::uint64_t expected, std::uint64_t found,
                 const char* one_for) {
  if (found != expected)
    refuse(archive, path,
           "expected " + std::to_string(expected) + ", one for " + one_for + ", found " + std::to_string(found));
}

void check_metrics(const Archive& archive, const std::vector<std::string>& names, bool others) {
  const auto epochs = static_cast<std::uint64_t>(archive.integer("/position", "epoch"));
  const auto steps = static_cast<std::uint64_t>(archive.integer("/position", "step"));
  const auto check = [&](const std::string& path, std::uint64_t expected, const char* one_for) {
    check_count(archive, path, expected, archive.values<double>(path).size(), one_for);
  };
  for (const std::string& name : archive.children("/metrics")) {
    const std::string path = archive_path("/metrics", name);
    const bool known = std::find(names.begin(), names.end(), name) != names.end();
    // What a part measures has no number in the epochs in which another part was in force.
    if (known || !others || path == step_losses) require_finite(archive, path);
    if (path == step_losses) continue;
    if (!others && !known) refuse(archive, path, "expected the metrics " + joined(names) + " and no other");
    check(path, epochs, "each epoch");
  }
  if (epochs > 0)
    for (const std::string& name : names) check(archive_path("/metrics", name), epochs, "each epoch");
  check(step_losses, steps, "each step");
  check(epoch_seconds, epochs, "each epoch");
}

/// LibTorch itself judges the state, on a generator that nobody uses; what it does not look at is looked at here. Its
/// engine draws left - 1 numbers from place `next` on before it makes new ones, and does not look where they end.
void check_generator(const Archive& archive) {
  at::Generator trial = at::detail::createCPUGenerator();
  const at::Tensor state = get_tensor(archive, generator);
  try {
    trial.set_state(state);
  } catch (const c10::Error&) {
    const std::size_t found = state.nbytes(), expected = trial.get_state().nbytes();
    refuse(archive, generator,
           (found == expected ? "LibTorch's generator takes no such values as its state"
                              : "the " + std::to_string(found) + " bytes are no state of LibTorch's generator, which has " +
                                    std::to_string(expected)) +
               "; was it written by another version of LibTorch?");
  }
  const at::mt19937_data_pod engine = trial.get<at::CPUGeneratorImpl>()->engine().data();
  if (engine.next_ + static_cast<std::uint32_t>(engine.left_) > at::MERSENNE_STATE_N + 1)
    refuse(archive, generator,
           "expected at most " + std::to_string(at::MERSENNE_STATE_N + 1) +
               " for the next number's place and the numbers that are left together, found " +
               std::to_string(engine.next_) + " and " + std::to_string(engine.left_) + "; take another archive");
  if (!trial.get_state().equal(state))
    refuse(archive, generator,
           "LibTorch reads another state from it than is there; was it written by another version of LibTorch?");
}

void check_provenance(const Archive& archive) {
  (void)read_section<Provenance>(archive, "/provenance");
  if (archive.has(begun_with)) (void)archive.text(begun_with);
}

Config archived_config(const Archive& archive, const ArchiveKind& kind, const OptionCatalog& catalog) {
  return config_from_json(archive.text(resolved_config), archive.name() + ": " + resolved_config, catalog,
                          ErrorCode::bad_data, kind.run);
}

}  // namespace stored
}  // namespace mixop
