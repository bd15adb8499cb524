#include <utility>

#include "host/archive/user_block.hpp"
#include "host/cli/all_commands.hpp"
#include "host/cli/command_line.hpp"
#include "host/cli/network_options.hpp"
#include "host/cli/run_options.hpp"
#include "host/files/output.hpp"
#include "host/genotype/genotype_json.hpp"
#include "host/graph/operator_catalog.hpp"
#include "host/onnx/onnx_model.hpp"
#include "host/search/exchanged_weights.hpp"
#include "host/search/run_check.hpp"
#include "host/session/train_session.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"
#include "host/train/network_archive.hpp"
#include "host/train/network_check.hpp"

namespace mixop::cli {
namespace {

constexpr char kArchive[] = "net.h5";

CommandSyntax import_syntax() {
  CommandSyntax syntax;
  syntax.usage =
      "mixop import FILE.pt|FILE.safetensors --genotype G [PRESET|config.json] [--set key=value ...] [--data DIR] [-o "
      "NET.h5]";
  syntax.about =
      "Makes the archive of a training that has not begun of weights that another program trained, under the "
      "parameter\n"
      "names of the published code. The network is the one that mixop train would make of the genotype, the preset and "
      "--set.\n"
      "mixop evaluate measures the archive, mixop train --resume --out NET.h5 trains it on. Of a pickle the tensors "
      "are read "
      "alone:\nits classes and functions never run.";
  add_network_options(syntax);
  syntax.options.add_options()("set", po::value<Arguments>()->composing()->value_name("KEY=VALUE"),
                               "sets a key of the training")(
      "data", po::value<std::string>()->value_name("DIR"),
      "where the data lies; default: the environment's MIXOP_DATA")(
      "out,o", po::value<std::string>()->value_name("NET.h5")->default_value(kArchive), "the archive to write")(
      "overwrite", "replaces an existing NET.h5");
  syntax.positionals = 64;
  add_plugin_options(syntax);
  return syntax;
}

CommandSyntax export_syntax() {
  CommandSyntax syntax;
  syntax.usage = "mixop export NET.h5|RUN.h5 [--format pt|safetensors|onnx] [--fold-norms] -o FILE";
  syntax.about =
      "Writes the weights and buffers of a network, or of a search's supernet, for other programs, under the parameter "
      "names of\n"
      "the published code: what torch.load(FILE) gives is a state dictionary for load_state_dict(strict=True). Of a "
      "training it is\n"
      "the network that mixop evaluate measures. Neither the data nor the plugins are needed.\n"
      "onnx: a trained network in evaluation, in float32 with a free number of samples. Of images the input "
      "\"images\", which "
      "is\n"
      "normalised by the metadata's mean and deviation, and the output \"logits\"; of text a step: the inputs "
      "\"words\" and \"state\", "
      "the\noutputs \"logits\" and \"next_state\". Its plugins are needed.";
  syntax.options.add_options()("format", po::value<std::string>()->value_name("F"),
                               "pt, safetensors or onnx; default: what FILE ends in (.pt, .pth, .safetensors, .onnx)")(
      "fold-norms", "of onnx: batch norms behind convolutions become a part of these")(
      "out,o", po::value<std::string>()->value_name("FILE"), "the file to write; one that is there is replaced");
  syntax.positionals = 1;
  add_plugin_options(syntax);
  return syntax;
}

enum class Format { torch, safetensors, onnx };

Format format_of(const po::variables_map& values, const std::filesystem::path& out) {
  const bool is_given = values.count("format") != 0;
  const std::string name = is_given ? "." + text(values, "format") : out.extension().string();
  if (name == ".pt" || (name == ".pth" && !is_given)) return Format::torch;
  if (name == ".safetensors") return Format::safetensors;
  if (name == ".onnx") return Format::onnx;
  if (is_given)
    throw Error(ErrorCode::usage,
                "--format: expected pt, safetensors or onnx, found '" + excerpt(text(values, "format")) + "'");
  throw Error(ErrorCode::usage, "-o " + excerpt(text(values, "out")) +
                                    ": ends in none of .pt, .pth, .safetensors and .onnx; name the format by --format");
}

/// "0.4914, 0.4822, 0.4465"
std::string numbers_text(const std::vector<double>& numbers) {
  std::vector<std::string> texts;
  for (const double number : numbers) texts.push_back(shortest(number));
  return joined(texts);
}

std::string onnx_of(const Archive& archive, const po::variables_map& values) {
  if (stored::is_of_kind(archive, run_kind))
    throw Error(ErrorCode::usage,
                archive.name() +
                    ": a search's supernet has no form in ONNX; train its genotype first: mixop train --genotype " +
                    archive.name() + " --out net.h5");
  const Application application = open_application(values);
  const Config config = archived_network_config(archive, application.catalog);
  const DiscreteModel model = archived_model(archive, config, application.plugins, options_of(config));
  std::vector<NamedValues> state;
  for (const StateEntry& entry : model.network().state()) state.push_back(named_values(entry.name, entry.tensor));
  const NetworkData& data = model.data();
  OnnxOptions options{values.count("fold-norms") != 0,
                      {{"genotype", genotype_to_json(archived_genotype(archive))}, {"space", config.space.name}}};
  for (const auto& [name, text] :
       {std::pair("mean", numbers_text(data.mean)), std::pair("deviation", numbers_text(data.deviation)),
        std::pair("classes", joined(data.class_names, "\n"))})
    if (!text.empty()) options.metadata.emplace_back(name, text);
  return onnx_model(model.network().graph(), RegistryCatalog(application.plugins), state, options);
}

}  // namespace

int import_command(const Arguments& arguments) {
  const auto values = parse(import_syntax(), arguments);
  if (!values) return 0;
  if (positionals(*values).empty())
    throw Error(ErrorCode::usage, "a file of weights is missing\nUsage: " + import_syntax().usage);
  TrainRequest request = network_request(*values);
  request.out = output_path(text(*values, "out"));
  if (values->count("overwrite") != 0) request.start = Start::overwrite;
  request.command_line = command_line("import", arguments);
  const Application application = open_application(*values);
  TrainSession session(request, application);
  session.save();
  for (const std::string& note : session.notes()) say(note);
  say("archive: " + request.out.string() +
      "; measure it by mixop evaluate, train it on by mixop train --resume --out " + text(*values, "out"));
  return 0;
}

int export_command(const Arguments& arguments) {
  const auto values = parse(export_syntax(), arguments);
  if (!values) return 0;
  const Arguments files = positionals(*values);
  if (files.empty() || text(*values, "out").empty())
    throw Error(ErrorCode::usage,
                std::string(files.empty() ? "an archive" : "-o FILE") + " is missing\nUsage: " + export_syntax().usage);
  const std::filesystem::path out = output_path(text(*values, "out"));
  const Format format = format_of(*values, out);
  require_writable(out);
  if (is_archive_file(out))
    throw Error(ErrorCode::usage,
                out.string() + " is an archive of mixop, which an export does not replace; name another file by -o");
  const Archive archive = Archive::open(files.front());
  if (format == Format::onnx) {
    const std::string model = onnx_of(archive, *values);
    write_text(model, out);
    say("ONNX, operator set 17: " + out.string());
    return 0;
  }
  if (values->count("fold-norms") != 0)
    throw Error(ErrorCode::usage, "--fold-norms is for --format onnx; leave it out");
  check_archive(archive);
  const std::vector<NamedValues> tensors = weights_of(archive);
  write_bytes(format == Format::torch ? torch_file(tensors) : safetensors_file(tensors, {{"format", "pt"}}), out);
  say(std::to_string(tensors.size()) + " tensors: " + out.string());
  return 0;
}

}  // namespace mixop::cli
