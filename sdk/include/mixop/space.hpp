#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mixop/genotype.hpp"
#include "mixop/graph.hpp"

namespace mixop {

/// The `space.*` keys that spaces read. host/config/keys.hpp says what each allows.
struct SpaceSizes {
  std::int64_t channels = 16;           ///< of the first cells
  std::int64_t layers = 8;              ///< cells
  std::int64_t width = 300;             ///< recurrent: of embedding and hidden state
  std::int64_t nodes = 4;               ///< intermediate nodes of a supernet's cell
  std::vector<std::string> operations;  ///< candidates of every edge of a supernet
  std::string stem = "auto";            ///< "cifar", "imagenet", or "auto": imagenet from 128 pixels on
  friend bool operator==(const SpaceSizes&, const SpaceSizes&) = default;
};

/// What the networks of a space are described for: its keys, the data set's shape, and what a training adds.
struct SpaceConfig : SpaceSizes {
  std::optional<Genotype> baseline;  ///< where given, the network that a search starts from
  ImageShape input{3, 32, 32};
  std::int64_t classes = 10;      ///< or words of the vocabulary
  bool auxiliary = false;         ///< networks of genotypes: with the auxiliary head
  double auxiliary_weight = 0.4;  ///< of its loss
  double label_smoothing = 0;     ///< networks of genotypes: see Output
};

struct NamedGenotype {
  std::string name;    ///< "DARTS_V2"
  std::string source;  ///< paper
  Genotype genotype;
};

/// What a space wants where nobody says otherwise: before the defaults of the program, behind presets.
struct SpaceDefaults {
  std::vector<std::string> operations{};    ///< space.ops: the published candidates
  std::string strategy = "first_order";     ///< search.strategy; its relaxation and rule read raw alphas
  std::map<std::string, std::string> keys{};  ///< other keys, as `--set` writes them: {"space.layers", "15"}
};

/// A search space. Constructible from `const Options&`. It describes networks and builds none. Bad configurations and
/// genotypes throw usage errors.
class SearchSpace {
 public:
  using Interface = SearchSpace;
  static constexpr const char* interface_id = "mixop.space/1";
  virtual ~SearchSpace() = default;

  /// One sentence with its source.
  virtual std::string summary() const = 0;
  /// What its networks read: images, or text word by word.
  virtual Domain domain() const { return Domain::image; }
  virtual SpaceDefaults defaults() const = 0;
  /// The network of a search.
  virtual NetworkGraph search(const SpaceConfig& config) const = 0;
  /// The network of a genotype.
  virtual NetworkGraph network(const SpaceConfig& config, const Genotype& genotype) const = 0;
  /// Published architectures by name.
  virtual const std::vector<NamedGenotype>& genotypes() const = 0;
  /// A genotype in the space's own published text, such as "|nor_conv_3x3~0|+|...|"; nothing where the text is none.
  /// Throws a usage error where it is one with a defect.
  virtual std::optional<Genotype> read_text(const std::string&) const { return std::nullopt; }
  /// The genotype in that text; nothing where the space has no form of its own.
  virtual std::optional<std::string> print_text(const Genotype&) const { return std::nullopt; }

 protected:
  SearchSpace() = default;
};

}  // namespace mixop
