#include "host/cli/all_commands.hpp"

#include "host/cli/command_line.hpp"

namespace mixop::cli {

const std::vector<Command>& commands() {
  static const std::vector<Command> all = {
      {"search", "search an architecture, into RUN.h5", search_command, /*computes=*/true},
      {"train", "train a genotype's network from scratch, into NET.h5", train_command, /*computes=*/true},
      {"select", "search with several seeds and select by short trainings", select_command, /*computes=*/true},
      {"reproduce", "run a published protocol end to end, and table it beside the paper", reproduce_command},
      {"sample", "print random genotypes of a space", sample_command},
      {"swap", "change the strategy of a search while it runs", swap_command},
      {"evaluate", "measure a trained network on data", evaluate_command, /*computes=*/true},
      {"import", "make a network's archive of weights by other programs", import_command},
      {"export", "write weights for PyTorch or as safetensors, or a network as ONNX", export_command},
      {"derive", "print the genotype of a run or of alphas", derive_command},
      {"summary", "count a network's parameters and multiply-adds", summary_command},
      {"draw", "draw a genotype's cells", draw_command},
      {"distance", "measure how far genotypes are apart", distance_command},
      {"report", "write a page about runs: curves, alphas, cells, what they cost", report_command, /*computes=*/true},
      {"inspect", "show what the archive of a run or network holds", inspect_command},
      {"verify", "check that an archive is whole", verify_command},
      {"compare", "list what differs between two archives", compare_command},
      {"list", "list ops, spaces, datasets, strategies, presets or genotypes", list_command},
      {"data", "check or describe a data set", data_command},
      {"plugins", "list, check or start plugins", plugins_command},
      {"selftest", "run the exactness oracles on this machine", selftest_command, /*computes=*/true},
      {"bench", "time steps, alone or against another program", bench_command, /*computes=*/true},
  };
  return all;
}

}  // namespace mixop::cli
