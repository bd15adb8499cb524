#include <iostream>

#include "host/archive/user_block.hpp"
#include "host/cli/all_commands.hpp"
#include "host/cli/command_line.hpp"
#include "host/files/output.hpp"
#include "host/json/json_writer.hpp"
#include "host/report/evaluation.hpp"
#include "host/report/live_report.hpp"
#include "host/report/page_server.hpp"
#include "host/report/report.hpp"
#include "host/train/network_check.hpp"

namespace mixop::cli {
namespace {

constexpr const char* kPage = "report.html";

CommandSyntax report_syntax() {
  CommandSyntax syntax;
  syntax.usage =
      "mixop report RUN.h5|NET.h5 ... [-o report.html] [--data DIR]\n"
      "       mixop report --watch RUN.h5|NET.h5 ... [--port N]";
  syntax.about =
      "Writes a page about searches and trained networks that any browser shows, without a network: curves of losses "
      "and\n"
      "accuracies, the weights of operations over the epochs, how the genotype came about, cells, changes of the "
      "strategy, what\n"
      "the runs cost and where they come from; of several runs their comparison. --data DIR measures networks of "
      "images on their\n"
      "test split, and shows which classes were taken for which. --watch serves the page at an address of this machine "
      "alone, where it\n"
      "follows runs that go on.";
  syntax.options.add_options()("out,o", po::value<std::string>()->value_name("FILE"),
                               "the page, default: report.html; one that is there is replaced")(
      "data", po::value<std::string>()->value_name("DIR"),
      "where the data of networks of images lies, which are measured on its test split")(
      "watch", "serves the page until Ctrl-C, and reads archives again where they change")(
      "port", po::value<std::int64_t>()->value_name("N"), "of --watch; default: one that is free")(
      "json", "prints the file's name, or the address, as JSON");
  syntax.positionals = 64;
  add_plugin_options(syntax);
  return syntax;
}

std::uint16_t port_of(const po::variables_map& values) {
  if (values.count("port") == 0) return 0;
  const auto port = values["port"].as<std::int64_t>();
  if (port < 1 || port > 65535)
    throw Error(ErrorCode::usage, "--port: expected a number from 1 to 65535, found " + std::to_string(port));
  return static_cast<std::uint16_t>(port);
}

int watch_runs(const Arguments& files, const po::variables_map& values) {
  for (const char* option : {"out", "data"})
    if (values.count(option) != 0)
      throw Error(ErrorCode::usage, std::string("--watch serves a page and writes none; leave --") + option + " out");
  const std::uint16_t port = port_of(values);
  const Application application = open_application(values);
  LiveReport report(files, application);
  const Site site = {
      {"/",
       [&] {
         return Document{"text/html", report_page(report.data(), PageKind::served)};
       }},
      {"/data.json",
       [&] {
         return Document{"application/json", report.data()};
       }},
  };
  const int signal = serve_pages(port, site, [&](std::uint16_t own) {
    const std::string address = "http://127.0.0.1:" + std::to_string(own) + "/";
    if (values.count("json") == 0) {
      std::cout << address << std::endl;
    } else {
      JsonWriter json;
      std::cout << json.begin_object().member("address", address).end().text() << std::endl;
    }
    require_output();
    say("serving the page; Ctrl-C ends it");
  });
  return 128 + signal;
}

/// Refuses --data where no archive is one of a network that is measured.
void require_measured(bool any, const po::variables_map& values) {
  if (values.count("data") != 0 && !any)
    throw Error(ErrorCode::usage,
                "--data: is for trained networks of images, and no archive here is one; leave it out");
}

}  // namespace

int report_command(const Arguments& arguments) {
  const auto values = parse(report_syntax(), arguments);
  if (!values) return 0;
  const Arguments files = positionals(*values);
  if (files.empty()) throw Error(ErrorCode::usage, "an archive is missing\nUsage: " + report_syntax().usage);
  if (values->count("watch") != 0) return watch_runs(files, *values);
  if (values->count("port") != 0) throw Error(ErrorCode::usage, "--port is for --watch; give both or leave it out");
  const std::string named = text(*values, "out", kPage);
  const std::filesystem::path out = output_path(named);
  require_writable(out);
  if (is_archive_file(out))
    throw Error(ErrorCode::usage,
                named + " is an archive of mixop, which a page does not replace; name another file by -o");
  const Application application = open_application(*values);
  Report report(application, text(*values, "data"));
  std::vector<std::string> runs;
  bool any_measured = false;
  for (const std::string& file : files) {
    const Archive archive = Archive::open(file);
    check_archive(archive);
    any_measured = any_measured || has_confusions(archive);
    runs.push_back(report.run(archive));
  }
  require_measured(any_measured, *values);
  write_text(report_page(report_data(runs, PageKind::file, /*writing=*/false), PageKind::file), out);
  print_file(*values, "report", named);
  return 0;
}

}  // namespace mixop::cli
