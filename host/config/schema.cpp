#include "host/config/schema.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <set>

#include "host/config/config.hpp"
#include "host/text/text.hpp"
#include "mixop/utf8.hpp"

namespace mixop {
namespace {

using Kind = JsonValue::Kind;
/// Above every 64-bit integer: no upper limit but that.
constexpr double kAnyCount = 9.3e18;

KeySpec boolean_key(std::string key, std::string help) { return {std::move(key), KeyType::boolean, std::move(help)}; }

KeySpec integer_key(std::string key, double least, double most, std::string help) {
  return {std::move(key), KeyType::integer, std::move(help), least, most};
}

KeySpec real_key(std::string key, double least, double most, std::string help) {
  return {std::move(key), KeyType::real, std::move(help), least, most};
}

KeySpec text_key(std::string key, std::string help, std::vector<std::string> choices = {}) {
  KeySpec spec{std::move(key), KeyType::text, std::move(help)};
  spec.choices = std::move(choices);
  return spec;
}

KeySpec open_real_key(std::string key, double least, double most, std::string help) {
  KeySpec spec = real_key(std::move(key), least, most, std::move(help));
  spec.below_most = true;
  return spec;
}

/// A key that one command alone reads.
KeySpec only(RunKind kind, KeySpec spec) {
  spec.only = kind;
  return spec;
}

KeySpec for_images(KeySpec spec) {
  spec.data = MIXOP_DATA_IMAGES;
  spec.help = "Images: " + spec.help;
  return spec;
}

KeySpec for_text(KeySpec spec) {
  spec.data = MIXOP_DATA_TEXT;
  spec.help = "Text: " + spec.help;
  return spec;
}

std::vector<KeySpec> run_keys() {
  return {
      integer_key("seed", 0, kAnyCount, "Seed of every random number of the run."),
      integer_key("threads", 0, 4096, "CPU threads; 0 uses all cores."),
      text_key("device", "Where tensors live; auto is the first GPU, or else the CPU.",
               {"auto", "cpu", "cuda", "cuda:N"}),
      text_key("precision",
               "Number format of weights and alphas; bfloat16 (trainings of images) keeps them in float32 and "
               "multiplies in 16 bits.",
               {"float32", "float64", "bfloat16"}),
  };
}

std::vector<KeySpec> data_keys() {
  return {
      text_key("data.name", "Data set, as `mixop list datasets` names it."),
      text_key("data.dir", "Folder that holds the data set; empty: what --data or MIXOP_DATA says."),
      integer_key("data.train_limit", 0, kAnyCount, "Only the first N train records, in file order; 0 takes all."),
      for_images(real_key(
          "data.train_portion", 0, 1,
          "Share of the train records that trains the weights; the rest trains the alphas (train: is held out).")),
      for_images(integer_key("data.cutout", 0, 4096, "Side in pixels of the square that cutout blanks; 0 is off.")),
      for_images(boolean_key("data.augment", "Random crops, flips and colours, as the data set defines them.")),
      for_images(text_key(
          "data.policy",
          "Learned changes of training images of 3 channels, after crop and flip; random colours are left out then.",
          {"none", "autoaugment_cifar", "autoaugment_imagenet"})),
      integer_key(
          "data.workers", -1, 256,
          "Threads that decode images ahead of time; 0 decodes when a batch is needed, -1 is one a core, at most "
          "8. A search has so many for each half of its records, and validation its own. No result depends on it."),
      for_text(integer_key("data.bptt", 2, 1048576,
                           "Words of a step's sequences, the length of truncated backpropagation.")),
  };
}

std::vector<KeySpec> space_keys() {
  const KeySpec ops{"space.ops", KeyType::list, "Candidate operations of every edge, as `mixop list ops` names them.",
                    1};
  return {
      text_key("space.name", "Search space, as `mixop list spaces` names it."),
      for_images(integer_key("space.channels", 1, 65536, "Channels of the first cells.")),
      for_images(integer_key("space.layers", 1, 1000, "Number of cells.")),
      for_text(integer_key("space.width", 1, 65536, "Width of embedding and hidden state.")),
      only(RunKind::search, integer_key("space.nodes", 1, 32, "Intermediate nodes of a cell.")),
      only(RunKind::search, ops),
      for_images(
          text_key("space.stem", "First layers; auto is imagenet from 128 pixels on.", {"auto", "cifar", "imagenet"})),
      only(RunKind::search, text_key("space.baseline",
                                     "Network that the search starts from: a genotype of the space, or a JSON file, "
                                     "whose content the run keeps. space.layers and space.nodes must be its own.")),
      only(RunKind::search,
           real_key(
               "space.alpha_init", 0, 100,
               "Standard deviation of the initial alphas around where the space starts them, which mostly is zero.")),
  };
}

std::vector<KeySpec> search_keys() {
  return {
      integer_key("search.epochs", 1, 1e6, "Passes over the weights' half of the train records."),
      integer_key("search.pretrain_epochs", 0, 1e6,
                  "Of these, the first N train the weights alone: the alphas stay where they start."),
      integer_key("search.batch", 1, 1e6, "Records of a step, for the weights and for the alphas."),
      text_key("search.strategy", "Strategy, as `mixop list strategies` names it."),
  };
}

std::vector<KeySpec> train_keys() {
  return {
      integer_key("train.epochs", 1, 1e6, "Passes over the train records."),
      integer_key("train.batch", 1, 1e6, "Records of a step."),
      for_images(real_key("train.auxiliary", 0, 1000, "Weight of the auxiliary head's loss; 0 builds none.")),
      for_images(open_real_key("train.drop_path", 0, 1,
                               "Probability of dropping a path: grows from 0 in the first epoch towards this.")),
      for_images(open_real_key("train.label_smoothing", 0, 1,
                               "Share of a target that the training loss spreads over all classes.")),
      text_key("train.keep",
               "The network that is evaluated: that of the last epoch, or of the least loss on the held-out records.",
               {"last", "best"}),
      integer_key("train.nonmono", 0, 1e6,
                  "Averaged SGD begins once the loss on the held-out records is above the least of all epochs but "
                  "the last so many; 0 never."),
      integer_key("train.rollbacks", 0, 1e6,
                  "How often an epoch whose loss is not finite begins again from the best network; needs "
                  "train.keep=best."),
  };
}

std::vector<KeySpec> weights_keys() {
  return {
      real_key("weights.lr", 0, 1000, "SGD's first learning rate."),
      only(RunKind::train, text_key("weights.schedule", "How the learning rate falls after every epoch.",
                                    {"cosine", "exponential", "linear", "constant"})),
      real_key("weights.lr_min", 0, 1000, "Learning rate at which the cosine ends."),
      only(RunKind::train, real_key("weights.gamma", 0, 1, "Factor of the exponential schedule.")),
      only(RunKind::train, integer_key("weights.warmup", 0, 1e6,
                                       "Epochs over which the learning rate rises to what its schedule says.")),
      open_real_key("weights.momentum", 0, 1, "SGD's momentum."),
      real_key("weights.decay", 0, 1000, "Weight decay of the weights."),
      real_key("weights.clip", 0, 1e9, "Largest norm of the weights' gradient; 0 does not clip."),
  };
}

std::vector<KeySpec> alphas_keys() {
  KeySpec betas{"alphas.betas", KeyType::reals, "Adam's decay rates of the alphas' moments.", 0, 1, true};
  betas.count = 2;
  return {
      real_key("alphas.lr", 0, 1000, "Adam's learning rate of the alphas."),
      text_key("alphas.schedule", "How that falls after every epoch.", {"constant", "cosine"}),
      real_key("alphas.lr_min", 0, 1000, "Learning rate at which the cosine ends."),
      std::move(betas),
      real_key("alphas.decay", 0, 1000, "Weight decay of the alphas."),
  };
}

std::vector<KeySpec> strategy_keys() {
  std::vector<KeySpec> keys;
  for (const StrategySlot& slot : strategy_slots)
    keys.push_back(text_key("strategy." + std::string(slot.name), "The part that " + std::string(slot.part_does) +
                                                                      ", in place of the strategy's own; empty keeps "
                                                                      "that."));
  return keys;
}

/// The keys of a kind in the order of the configuration's JSON, without defaults.
std::vector<KeySpec> keys_of(RunKind kind) {
  std::vector<KeySpec> keys;
  const auto add = [&](const std::vector<KeySpec>& section) {
    for (const KeySpec& spec : section)
      if (!spec.only || *spec.only == kind) keys.push_back(spec);
  };
  const auto add_own = [&](RunKind owner, const std::vector<KeySpec>& section) {
    if (owner == kind)
      for (const KeySpec& spec : section) keys.push_back(only(owner, spec));
  };
  add(run_keys());
  add(data_keys());
  add(space_keys());
  add_own(RunKind::search, search_keys());
  add_own(RunKind::train, train_keys());
  add(weights_keys());
  add_own(RunKind::search, alphas_keys());
  add_own(RunKind::search, strategy_keys());
  return keys;
}

/// A default as text, taken from a default Config so that there is one place for it.
std::string default_of(const KeySpec& spec, const JsonValue& defaults) {
  const JsonValue* at = &defaults;
  for (const std::string& part : split(spec.key, '.')) at = at->find(part);
  return text_of_value(spec, *at);
}

bool has_lower(const KeySpec& spec) { return spec.least > std::numeric_limits<double>::lowest(); }
bool has_upper(const KeySpec& spec) { return spec.most < kAnyCount; }

/// Numbers as people write them: 1000000, not 1e+06.
std::string limit_text(double value) {
  const bool whole = value == std::floor(value) && std::fabs(value) < 1e15;
  return whole ? std::to_string(static_cast<std::int64_t>(value)) : shortest(value);
}

std::string range_text(const KeySpec& spec) {
  if (has_lower(spec) && has_upper(spec))
    return " from " + limit_text(spec.least) + (spec.below_most ? " to below " : " to ") + limit_text(spec.most);
  if (has_lower(spec))
    return " of at least " + limit_text(spec.least) + (spec.type == KeyType::integer ? ", of 64 bits" : "");
  return "";
}

bool in_range(const KeySpec& spec, double value) {
  return std::isfinite(value) && value >= spec.least && (spec.below_most ? value < spec.most : value <= spec.most);
}

/// "cuda:N" among the choices stands for any device number.
bool is_choice(const KeySpec& spec, const std::string& text) {
  if (spec.choices.empty() || std::count(spec.choices.begin(), spec.choices.end(), text) > 0) return text != "cuda:N";
  if (std::count(spec.choices.begin(), spec.choices.end(), "cuda:N") == 0 || text.rfind("cuda:", 0) != 0) return false;
  const std::string number = text.substr(5);
  const bool plain = number.size() == 1 || (!number.empty() && number[0] != '0');
  return plain && number.size() <= 3 && number.find_first_not_of("0123456789") == std::string::npos;
}

bool is_clean_text(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

/// Archives and JSON hold UTF-8 alone: what is not would be written and never read again.
void check_utf8(const KeySpec& spec, const std::string& text, const std::string& where) {
  for (std::size_t at = 0, bytes = 0; at < text.size(); at += bytes) {
    bytes = code_point_at(text, at).bytes;
    if (bytes == 0)
      throw Error(ErrorCode::usage, where + ": " + spec.key + ": expected text in UTF-8, found bytes that are not at " +
                                        "offset " + std::to_string(at) + "; use a name in UTF-8");
  }
}

bool is_item(const JsonValue& item) {
  return item.is(Kind::text) && !item.text.empty() && is_clean_text(item.text) &&
         item.text.find_first_of(", \"") == std::string::npos;
}

void check_list(const KeySpec& spec, const JsonValue& value, const std::string& where) {
  std::set<std::string> seen;
  for (const JsonValue& item : value.items) {
    if (!is_item(item))
      throw Error(ErrorCode::usage, where + ": " + spec.key + ": expected names without blanks or commas, found " +
                                        item.describe() + " among them");
    if (!seen.insert(item.text).second)
      throw Error(ErrorCode::usage, where + ": " + spec.key + ": '" + item.text + "' is listed twice; remove one");
  }
}

bool fits(const KeySpec& spec, const JsonValue& value) {
  switch (spec.type) {
    case KeyType::boolean:
      return value.is(Kind::boolean);
    case KeyType::integer:
      return value.is(Kind::integer) && in_range(spec, value.number);
    case KeyType::real:
      return value.is_number() && in_range(spec, value.number);
    case KeyType::text:
      return value.is(Kind::text) && is_clean_text(value.text) && is_choice(spec, value.text);
    case KeyType::list:
      return value.is(Kind::list) && !(static_cast<double>(value.items.size()) < spec.least);
    case KeyType::reals:
      return value.is(Kind::list) && value.items.size() == spec.count &&
             std::all_of(value.items.begin(), value.items.end(),
                         [&](const JsonValue& item) { return item.is_number() && in_range(spec, item.number); });
  }
  return false;
}

JsonValue text_value(std::string_view text) {
  JsonValue made;
  made.kind = Kind::text;
  made.text = text;
  return made;
}

template <class Number>
bool whole_number(std::string_view text, Number& number) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc{} && end == text.data() + text.size();
}

/// An integer or a real where the text is one, else the text: check_value then says what was expected.
JsonValue number_value(std::string_view text) {
  JsonValue made = text_value(text);
  if (whole_number(text, made.integer)) {
    made.kind = Kind::integer;
    made.number = static_cast<double>(made.integer);
  } else if (whole_number(text, made.number) && std::isfinite(made.number)) {
    made.kind = Kind::real;
  }
  return made;
}

JsonValue boolean_value(std::string_view text) {
  JsonValue made = text_value(text);
  if (text != "true" && text != "false") return made;
  made.kind = Kind::boolean;
  made.boolean = text == "true";
  return made;
}

JsonValue list_value(std::string_view text, JsonValue (*item)(std::string_view)) {
  JsonValue made;
  made.kind = Kind::list;
  for (const std::string& part : split(text, ',')) made.items.push_back(item(part));
  return made;
}

std::string or_empty(const std::string& text) { return text.empty() ? "empty" : text; }

}  // namespace

const char* type_name(KeyType type) {
  switch (type) {
    case KeyType::boolean:
      return "boolean";
    case KeyType::integer:
      return "integer";
    case KeyType::real:
      return "real";
    case KeyType::text:
      return "text";
    case KeyType::list:
      return "list";
    case KeyType::reals:
      return "reals";
  }
  return "";
}

const char* run_kind_name(RunKind kind) { return kind == RunKind::search ? "search" : "train"; }

const std::vector<KeySpec>& config_keys(RunKind kind) {
  const auto with_defaults = [](RunKind of) {
    std::vector<KeySpec> keys = keys_of(of);
    const JsonValue defaults = parse_json(to_json(default_config(of)), "defaults", ErrorCode::failed);
    for (KeySpec& spec : keys) spec.default_text = default_of(spec, defaults);
    return keys;
  };
  static const std::vector<KeySpec> search = with_defaults(RunKind::search), train = with_defaults(RunKind::train);
  return kind == RunKind::search ? search : train;
}

KeySpec option_key(const std::string& component, const MixopOptionSpec& option) {
  KeySpec spec;
  spec.key = component + "." + option.name;
  spec.help = option.help == nullptr ? "" : option.help;
  spec.default_text = option.default_value == nullptr ? "" : option.default_value;
  switch (option.type) {
    case MIXOP_OPTION_BOOL:
      spec.type = KeyType::boolean;
      break;
    case MIXOP_OPTION_INTEGER:
      spec.type = KeyType::integer;
      break;
    case MIXOP_OPTION_REAL:
      spec.type = KeyType::real;
      break;
    case MIXOP_OPTION_LIST:
      spec.type = KeyType::list;
      break;
    default:
      spec.type = KeyType::text;
  }
  return spec;
}

std::vector<KeySpec> all_keys(const OptionCatalog& catalog, RunKind kind) {
  std::vector<KeySpec> keys = config_keys(kind);
  for (const auto& [component, options] : catalog.components)
    for (const MixopOptionSpec& option : options) keys.push_back(option_key(component, option));
  return keys;
}

std::string allowed_values(const KeySpec& spec) {
  switch (spec.type) {
    case KeyType::boolean:
      return "true or false";
    case KeyType::integer:
      return "a whole number" + range_text(spec);
    case KeyType::real:
      return "a number" + range_text(spec);
    case KeyType::text:
      return spec.choices.empty() ? "text" : "one of " + joined(spec.choices);
    case KeyType::list:
      return spec.least > 0 ? "a list of at least one name" : "a list of names";
    case KeyType::reals:
      return std::to_string(spec.count) + " numbers" + range_text(spec);
  }
  return "";
}

void check_value(const KeySpec& spec, const JsonValue& value, const std::string& where) {
  check_utf8(spec, value.text, where);
  for (const JsonValue& item : value.items) check_utf8(spec, item.text, where);
  if (!fits(spec, value)) {
    std::string found = value.describe();
    if (spec.type == KeyType::reals && value.is(Kind::list) && value.items.size() == spec.count)
      for (const JsonValue& item : value.items) found += (&item == &value.items[0] ? ": " : ", ") + item.describe();
    throw Error(ErrorCode::usage, where + ": " + spec.key + ": expected " + allowed_values(spec) + ", found " + found);
  }
  if (spec.type == KeyType::list) check_list(spec, value, where);
}

JsonValue value_from_text(const KeySpec& spec, std::string_view text, const std::string& where) {
  JsonValue value;
  switch (spec.type) {
    case KeyType::boolean:
      value = boolean_value(text);
      break;
    case KeyType::integer:
    case KeyType::real:
      value = number_value(text);
      break;
    case KeyType::text:
      value = text_value(text);
      break;
    case KeyType::list:
      value = list_value(text, text_value);
      break;
    case KeyType::reals:
      value = list_value(text, number_value);
      break;
  }
  check_value(spec, value, where);
  return value;
}

std::string text_of_value(const KeySpec& spec, const JsonValue& value) {
  switch (spec.type) {
    case KeyType::boolean:
      return value.boolean ? "true" : "false";
    case KeyType::integer:
      return std::to_string(value.integer);
    case KeyType::real:
      return shortest(value.number);
    case KeyType::text:
      return value.text;
    case KeyType::list:
    case KeyType::reals:
      break;
  }
  std::vector<std::string> items;
  for (const JsonValue& item : value.items) items.push_back(item.is_number() ? shortest(item.number) : item.text);
  return joined(items, ",");
}

std::string describe_keys(const OptionCatalog& catalog, RunKind kind) {
  std::string lines;
  for (const KeySpec& spec : all_keys(catalog, kind))
    lines += "  " + spec.key + "\n      " + spec.help + "\n      " + allowed_values(spec) + "; default " +
             or_empty(spec.default_text) + "\n";
  return lines;
}

}  // namespace mixop
