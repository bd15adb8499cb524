#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "host/config/config.hpp"
#include "host/config/schema.hpp"

// Every key of the configuration, said once: its name, its member, what it allows and what it means. The schema, its
// defaults, JSON in both directions, --keys and the checks are visitors of this. A visitor has
//   visitor(name, member, spec)               for a key; the spec's key, type and default are left open
//   visitor.section(name, section, only)      for a section, which one kind of run alone may have
// and members are const where the configuration is.

namespace mixop {

template <class Of, class Section>
concept IsSection = std::same_as<std::remove_const_t<Of>, Section>;

namespace keys {

/// Above every 64-bit integer: no upper limit but that.
inline constexpr double kAnyCount = 9.3e18;

inline KeySpec any(std::string help) { return {{}, KeyType::text, std::move(help)}; }
inline KeySpec within(double least, double most, std::string help) {
  return {{}, KeyType::text, std::move(help), least, most};
}
inline KeySpec below(double least, double most, std::string help) {
  return {{}, KeyType::text, std::move(help), least, most, true};
}
inline KeySpec one_of(std::vector<std::string> choices, std::string help) {
  KeySpec spec = any(std::move(help));
  spec.choices = std::move(choices);
  return spec;
}
/// A key that one command alone reads.
inline KeySpec only(RunKind kind, KeySpec spec) {
  spec.only = kind;
  return spec;
}
inline KeySpec for_images(KeySpec spec) {
  spec.data = MIXOP_DATA_IMAGES;
  spec.help = "Images: " + spec.help;
  return spec;
}
inline KeySpec for_text(KeySpec spec) {
  spec.data = MIXOP_DATA_TEXT;
  spec.help = "Text: " + spec.help;
  return spec;
}

}  // namespace keys

template <IsSection<DataConfig> Data, class Visitor>
void visit(Data& c, Visitor&& v) {
  using namespace keys;
  v("name", c.name, any("Data set, as `mixop list datasets` names it."));
  v("dir", c.dir, any("Folder that holds the data set; empty: what --data or MIXOP_DATA says."));
  v("train_limit", c.train_limit, within(0, kAnyCount, "Only the first N train records, in file order; 0 takes all."));
  v("train_portion", c.train_portion,
    for_images(within(0, 1,
                      "Share of the train records that trains the weights; the rest trains the alphas (train: is held "
                      "out).")));
  v("cutout", c.cutout, for_images(within(0, 4096, "Side in pixels of the square that cutout blanks; 0 is off.")));
  v("augment", c.augment, for_images(any("Random crops, flips and colours, as the data set defines them.")));
  v("policy", c.policy,
    for_images(one_of({"none", "autoaugment_cifar", "autoaugment_imagenet"},
                      "Learned changes of training images of 3 channels, after crop and flip; random colours are left "
                      "out then.")));
  v("workers", c.workers,
    within(-1, 256,
           "Threads that decode images ahead of time; 0 decodes when a batch is needed, -1 is one a core, at most "
           "8. A search has so many for each half of its records, and validation its own. No result depends on it."));
  v("bptt", c.bptt,
    for_text(within(2, 1048576, "Words of a step's sequences, the length of truncated backpropagation.")));
}

template <IsSection<SpaceKeys> Space, class Visitor>
void visit(Space& c, Visitor&& v) {
  using namespace keys;
  constexpr RunKind search = RunKind::search;
  v("name", c.name, any("Search space, as `mixop list spaces` names it."));
  v("channels", c.channels, for_images(within(1, 65536, "Channels of the first cells.")));
  v("layers", c.layers, for_images(within(1, 1000, "Number of cells.")));
  v("width", c.width, for_text(within(1, 65536, "Width of embedding and hidden state.")));
  v("nodes", c.nodes, only(search, within(1, 32, "Intermediate nodes of a cell.")));
  KeySpec ops = any("Candidate operations of every edge, as `mixop list ops` names them, NAME:option=value with options; where nothing is said, those of the space.");
  ops.least = 1;
  v("ops", c.operations, only(search, std::move(ops)));
  v("stem", c.stem,
    for_images(one_of({"auto", "cifar", "imagenet"}, "First layers; auto is imagenet from 128 pixels on.")));
  v("baseline", c.baseline,
    only(search, any("Network that the search starts from: a genotype of the space, by name, file, archive or text as --genotype "
                     "takes it, whose content the run keeps. space.layers and space.nodes must be its own.")));
  v("alpha_init", c.alpha_init,
    only(search, within(0, 100,
                        "Standard deviation of the initial alphas around where the space starts them, which mostly is "
                        "zero.")));
}

template <IsSection<SearchConfig> Search, class Visitor>
void visit(Search& c, Visitor&& v) {
  using namespace keys;
  v("epochs", c.epochs, within(1, 1e6, "Passes over the weights' half of the train records."));
  v("pretrain_epochs", c.pretrain_epochs,
    within(0, 1e6, "Of these, the first N train the weights alone: the alphas stay where they start."));
  v("batch", c.batch, within(1, 1e6, "Records of a step, for the weights and for the alphas."));
  v("strategy", c.strategy, any("Strategy, as `mixop list strategies` names it, or a schedule such as first_order@0,second_order@15 of epochs counted "
        "from 0; where nothing is said, that of the space."));
}

template <IsSection<TrainConfig> Train, class Visitor>
void visit(Train& c, Visitor&& v) {
  using namespace keys;
  v("epochs", c.epochs, within(1, 1e6, "Passes over the train records."));
  v("batch", c.batch, within(1, 1e6, "Records of a step."));
  v("auxiliary", c.auxiliary, for_images(within(0, 1000, "Weight of the auxiliary head's loss; 0 builds none.")));
  v("drop_path", c.drop_path,
    for_images(below(0, 1, "Probability of dropping a path: grows from 0 in the first epoch towards this.")));
  v("label_smoothing", c.label_smoothing,
    for_images(below(0, 1, "Share of a target that the training loss spreads over all classes.")));
  v("keep", c.keep,
    one_of({"last", "best"},
           "The network that is evaluated: that of the last epoch, or of the least loss on the held-out records."));
  v("nonmono", c.nonmono,
    within(0, 1e6,
           "Averaged SGD begins once the loss on the held-out records is above the least of all epochs but the last so "
           "many; 0 never."));
  v("rollbacks", c.rollbacks,
    within(0, 1e6,
           "How often an epoch whose loss is not finite begins again from the best network; needs train.keep=best."));
}

template <IsSection<WeightsConfig> Weights, class Visitor>
void visit(Weights& c, Visitor&& v) {
  using namespace keys;
  constexpr RunKind train = RunKind::train;
  v("lr", c.lr, within(0, 1000, "SGD's first learning rate."));
  v("schedule", c.schedule,
    only(train,
         one_of({"cosine", "exponential", "linear", "constant"}, "How the learning rate falls after every epoch.")));
  v("lr_min", c.lr_min, within(0, 1000, "Learning rate at which the cosine ends."));
  v("gamma", c.gamma, only(train, within(0, 1, "Factor of the exponential schedule.")));
  v("warmup", c.warmup,
    only(train, within(0, 1e6, "Epochs over which the learning rate rises to what its schedule says.")));
  v("momentum", c.momentum, below(0, 1, "SGD's momentum."));
  v("decay", c.decay, within(0, 1000, "Weight decay of the weights."));
  v("clip", c.clip, within(0, 1e9, "Largest norm of the weights' gradient; 0 does not clip."));
}

template <IsSection<AlphasConfig> Alphas, class Visitor>
void visit(Alphas& c, Visitor&& v) {
  using namespace keys;
  v("lr", c.lr, within(0, 1000, "Adam's learning rate of the alphas."));
  v("schedule", c.schedule, one_of({"constant", "cosine"}, "How that falls after every epoch."));
  v("lr_min", c.lr_min, within(0, 1000, "Learning rate at which the cosine ends."));
  KeySpec betas = below(0, 1, "Adam's decay rates of the alphas' moments.");
  betas.count = 2;
  v("betas", c.betas, std::move(betas));
  v("decay", c.decay, within(0, 1000, "Weight decay of the alphas."));
}

template <IsSection<SlotNames> Names, class Visitor>
void visit(Names& c, Visitor&& v) {
  for (const StrategySlot& slot : strategy_slots)
    v(slot.name.data(), c[slot.name],
      keys::any("The part that " + std::string(slot.part_does) + ", in place of the strategy's own, or a schedule of such; empty keeps that."));
}

template <IsSection<Config> Whole, class Visitor>
void visit(Whole& c, Visitor&& v) {
  using namespace keys;
  v("seed", c.seed, within(0, kAnyCount, "Seed of every random number of the run."));
  v("threads", c.threads, within(0, 4096, "CPU threads; 0 uses all cores."));
  v("device", c.device,
    one_of({"auto", "cpu", "cuda", "cuda:N"}, "Where tensors live; auto is the first GPU, or else the CPU."));
  v("precision", c.precision,
    one_of(
        {"float32", "float64", "bfloat16"},
        "Number format of weights and alphas; bfloat16 (trainings of images) keeps them in float32 and multiplies in "
        "16 bits."));
  v("execution", c.execution,
    one_of({"fused", "plain"},
           "How networks of images and recurrent searches are run on a CPU: cell by cell in kernels of mixop's own, or "
           "operator by operator in LibTorch's; to float rounding they compute the same."));
  v.section("data", c.data, std::nullopt);
  v.section("space", c.space, std::nullopt);
  v.section("search", c.search, RunKind::search);
  v.section("train", c.train, RunKind::train);
  v.section("weights", c.weights, std::nullopt);
  v.section("alphas", c.alphas, RunKind::search);
  v.section("strategy", c.strategy, RunKind::search);
}

}  // namespace mixop
