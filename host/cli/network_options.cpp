#include "host/cli/network_options.hpp"

#include "host/archive/user_block.hpp"
#include "host/cli/run_options.hpp"
#include "host/session/genotype_argument.hpp"
#include "host/text/plain_text.hpp"
#include "host/weights/weight_file.hpp"

namespace mixop::cli {

void add_network_options(CommandSyntax& syntax) {
  syntax.options.add_options()("genotype", po::value<std::string>()->value_name("G"),
                               "of a file of weights: a name, a JSON file, or the archive of a search or a network");
}

bool is_weight_file(const std::string& word) {
  for (const char* ending : {".pt", ".pth", ".safetensors"})
    if (word.ends_with(ending)) return true;
  return !is_archive_argument(word) && std::filesystem::is_regular_file(word);
}

TrainRequest network_request(const po::variables_map& values) {
  Arguments words = positionals(values);
  TrainRequest request;
  request.weights = words.front();
  if (is_archive_file(request.weights))
    throw Error(ErrorCode::bad_data, request.weights +
                                         " is an archive of mixop, not a file of weights: mixop evaluate measures it, "
                                         "mixop export writes its weights");
  (void)WeightFile::open(request.weights);  // what is none is said before what is missing beside it
  words.erase(words.begin());
  read_config(values, words, request);
  request.genotype = text(values, "genotype");
  if (is_pipe(request.genotype)) request.genotype = read_plain_text(request.genotype, ErrorCode::usage);
  if (request.genotype.empty())
    throw Error(ErrorCode::usage, request.weights +
                                      " holds weights alone; --genotype says of which network: a name such as "
                                      "DARTS_V2, a JSON file, or an archive");
  return request;
}

}  // namespace mixop::cli
