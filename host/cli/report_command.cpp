#include <iostream>

#include "host/archive/user_block.hpp"
#include "host/cli/all_commands.hpp"
#include "host/cli/command_line.hpp"
#include "host/files/output.hpp"
#include "host/report/report.hpp"
#include "host/text/printable.hpp"
#include "host/train/network_check.hpp"

namespace mixop::cli {
namespace {

CommandSyntax report_syntax() {
  CommandSyntax syntax;
  syntax.usage = "mixop report RUN.h5|NET.h5 ... [-o report.html]";
  syntax.about =
      "Writes a page about searches and trained networks that any browser shows, without a network: curves of losses "
      "and\n"
      "accuracies, alphas over the epochs, how the genotype came about, cells, changes of the strategy, what the runs "
      "cost\n"
      "and where they come from; of several runs their comparison. Neither the data nor the plugins are needed.";
  syntax.options.add_options()("out,o", po::value<std::string>()->value_name("FILE")->default_value("report.html"),
                               "the page; one that is there is replaced")("json", "prints the file's name as JSON");
  syntax.positionals = 64;
  return syntax;
}

}  // namespace

int report_command(const Arguments& arguments) {
  const auto values = parse(report_syntax(), arguments);
  if (!values) return 0;
  const Arguments files = positionals(*values);
  if (files.empty()) throw Error(ErrorCode::usage, "an archive is missing\nUsage: " + report_syntax().usage);
  const std::string named = text(*values, "out");
  const std::filesystem::path out = output_path(named);
  require_writable(out);
  if (is_archive_file(out))
    throw Error(ErrorCode::usage,
                named + " is an archive of mixop, which a page does not replace; name another file by -o");
  std::vector<Archive> archives;
  std::vector<const Archive*> subjects;
  archives.reserve(files.size());
  for (const std::string& file : files) {
    subjects.push_back(&archives.emplace_back(Archive::open(file)));
    check_archive(archives.back());
  }
  write_text(report_page(subjects), out);
  print_file(*values, "report", named);
  return 0;
}

}  // namespace mixop::cli
