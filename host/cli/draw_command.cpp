#include <iostream>

#include "host/cli/all_commands.hpp"
#include "host/cli/command_line.hpp"
#include "host/cli/named_genotype.hpp"
#include "host/draw/graphviz.hpp"
#include "host/graph/draw.hpp"
#include "host/text/printable.hpp"

namespace mixop::cli {
namespace {

CommandSyntax draw_syntax() {
  CommandSyntax syntax;
  syntax.usage = "mixop draw GENOTYPE [--epoch N] -o cell.svg";
  syntax.about =
      "Draws all cells of a genotype into one picture: a published name, a file of text, or a run's archive, whose "
      "edge "
      "weights set\n"
      "the lines' widths. The file's ending chooses .svg, .png, .pdf or .dot; without Graphviz the graph is written as "
      ".dot.";
  syntax.options.add_options()("output,o", po::value<std::string>()->value_name("FILE")->default_value("cell.svg"),
                               "the picture")("space", po::value<std::string>()->value_name("S"),
                                              "the space of a name that several spaces have")(
      "epoch", po::value<std::int64_t>()->value_name("N"), "of a search's archive, after N epochs; default: the last")(
      "json", "prints the file's name as JSON");
  syntax.positionals = 1;
  add_plugin_options(syntax);
  return syntax;
}

}  // namespace

int draw_command(const std::vector<std::string>& arguments) {
  const auto values = parse(draw_syntax(), arguments);
  if (!values) return 0;
  const Arguments given = positionals(*values);
  if (given.empty()) throw Error(ErrorCode::usage, "a genotype is missing\nUsage: " + draw_syntax().usage);
  const std::string named = text(*values, "output");
  const std::filesystem::path wanted = output_path(named);
  require_picture(wanted);
  const PluginRegistry plugins = load_plugins(*values);
  const GenotypeArgument argument = named_genotype(given.front(), *values, plugins);
  const auto written = write_picture(to_dot(argument.genotype, {argument.title, argument.strengths}), wanted);
  const std::string shown = std::filesystem::path(named).replace_filename(written.filename()).string();
  if (written != wanted) say("Graphviz is not installed (no dot on PATH), so the graph itself was written");
  print_file(*values, "picture", shown);
  return 0;
}

}  // namespace mixop::cli
