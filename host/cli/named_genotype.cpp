#include "host/cli/named_genotype.hpp"

namespace mixop::cli {

GenotypeArgument named_genotype(const std::string& argument, const po::variables_map& values,
                                const PluginRegistry& plugins) {
  GenotypeArgument read = values.count("epoch") != 0
                              ? genotype_of_epoch(argument, values["epoch"].as<std::int64_t>(), plugins)
                              : read_genotype(argument, text(values, "space"), plugins);
  for (const std::string& note : read.notes) say(note);
  return read;
}

}  // namespace mixop::cli
