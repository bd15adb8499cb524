#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>

#include "host/cli/all_commands.hpp"
#include "host/cli/command_line.hpp"
#include "host/cli/data_fetch.hpp"
#include "host/config/schema.hpp"
#include "host/data/batch_stream.hpp"
#include "host/data/dataset_handle.hpp"
#include "host/data/digest.hpp"
#include "host/data/image_check.hpp"
#include "host/json/json_writer.hpp"
#include "host/task/task.hpp"
#include "host/text/printable.hpp"

namespace mixop::cli {
namespace {

constexpr std::int64_t kChunk = 1024;

CommandSyntax data_syntax() {
  CommandSyntax syntax;
  syntax.usage = "mixop data check|describe|fetch NAME [--data DIR] [--set option=value ...]";
  syntax.about =
      "describe says which layouts on disk a data set reads, its options, and its size where the data is at hand. "
      "check reads\n"
      "every record, decodes every image, and prints the counts and the digest that archives keep. Of text it prints "
      "the unigram\n"
      "perplexity of every split: what a model that sees no context can reach on it. fetch downloads a published data "
      "set, holds\n"
      "it against its SHA-256 and unpacks it in DIR; what was stopped goes on where it was. A published file that lies in "
      "DIR\n"
      "already is not downloaded.";
  syntax.options.add_options()("data", po::value<std::string>()->value_name("DIR"),
                               "where the data lies, or is to lie; default: the environment's MIXOP_DATA")(
      "set", po::value<Arguments>()->composing()->value_name("OPTION=VALUE"), "an option of the data set")(
      "from", po::value<std::string>()->value_name("ADDRESS"),
      "fetch from a mirror: ADDRESS/NAME for each published file NAME")("json", "prints JSON");
  syntax.positionals = 2;
  add_plugin_options(syntax);
  return syntax;
}

std::map<std::string, std::string> options_of(const po::variables_map& values, const std::string& name) {
  std::map<std::string, std::string> options;
  if (values.count("set") == 0) return options;
  for (const std::string& assignment : values["set"].as<Arguments>()) {
    const auto equals = assignment.find('=');
    if (equals == std::string::npos)
      throw Error(ErrorCode::usage, "--set: expected option=value, found '" + excerpt(assignment) + "'");
    std::string option = assignment.substr(0, equals);
    if (option.rfind(name + ".", 0) == 0) option = option.substr(name.size() + 1);
    options[option] = assignment.substr(equals + 1);
  }
  return options;
}

void read_all(const DatasetHandle& data) {
  const DatasetInfo& info = data.info();
  std::vector<std::uint8_t> values(static_cast<std::size_t>(kChunk * info.record_bytes()));
  std::vector<std::int64_t> targets(kChunk);
  for (int split = 0; split < MIXOP_SPLIT_COUNT; ++split) {
    const std::int64_t records = info.records[static_cast<std::size_t>(split)];
    for (std::int64_t first = 0; first < records; first += kChunk)
      data.read(split, first, std::min(kChunk, records - first),
                values.empty() ? nullptr : values.data(), targets.data());
  }
}

/// Decodes every image; those that fail are named on stderr.
std::vector<CorruptImage> decode_all(const DatasetHandle& data) {
  std::int64_t images = 0;
  for (const std::int64_t records : data.info().records) images += records;
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const auto corrupt = corrupt_images(data, worker_count(-1), [&](std::int64_t done) {
    if (terminal && done % kChunk == 0) std::cerr << "\r" << done << " of " << images << " images " << std::flush;
  });
  if (terminal) std::cerr << "\r";
  for (const CorruptImage& image : corrupt) say(image.problem);
  return corrupt;
}

void write_corrupt(JsonWriter& json, const std::vector<CorruptImage>& corrupt) {
  json.key("corrupt").begin_list();
  for (const CorruptImage& image : corrupt)
    json.begin_object()
        .member("split", split_name(image.split))
        .member("record", image.record)
        .member("problem", image.problem)
        .end();
  json.end();
}

void write_info(JsonWriter& json, const DatasetHandle& data) {
  const DatasetInfo& info = data.info();
  json.key("records").begin_object();
  for (int split = 0; split < MIXOP_SPLIT_COUNT; ++split)
    json.member(split_name(split), info.records[static_cast<std::size_t>(split)]);
  json.end().member("classes", info.classes).member("class_names", info.class_names);
  task_of(info.kind).write_data(json, data);
  json.member("notes", info.notes).member("files", info.files).member("digest", dataset_digest(data));
}

void print_info(const DatasetHandle& data) {
  const DatasetInfo& info = data.info();
  const Task& task = task_of(info.kind);
  for (int split = 0; split < MIXOP_SPLIT_COUNT; ++split)
    if (info.records[static_cast<std::size_t>(split)] > 0)
      std::cout << split_name(split) << ": " << info.records[static_cast<std::size_t>(split)] << " "
                << task.record_unit() << "\n";
  for (const std::string& line : task.data_lines(data)) std::cout << printable(line) << "\n";
  std::cout << task.classes_name() << ": " << info.classes << "\ndigest: " << dataset_digest(data) << "\n";
}

void write_options(JsonWriter& json, const MixopDataset& table, const std::string& name) {
  json.key("options").begin_list();
  for (std::uint32_t i = 0; i < table.option_count; ++i) {
    const KeySpec key = option_key(name, table.options[i]);
    json.begin_object().member("name", table.options[i].name).member("type", type_name(key.type));
    json.member("default", key.default_text).member("help", key.help).end();
  }
  json.end();
}

bool can_be_read(const std::string& folder) {
  std::error_code problem;
  std::filesystem::directory_iterator(folder, problem);
  return !problem;
}

void describe_table(const MixopDataset& table, const std::string& name) {
  std::cout << name << " reads " << table.expects << "\n";
  for (std::uint32_t i = 0; i < table.option_count; ++i)
    std::cout << "  " << name << "." << table.options[i].name << " (" << table.options[i].default_value
              << "): " << table.options[i].help << "\n";
}

}  // namespace

int data_command(const std::vector<std::string>& arguments) {
  const auto values = parse(data_syntax(), arguments);
  if (!values) return 0;
  const Arguments given = positionals(*values);
  if (given.size() != 2 || (given[0] != "check" && given[0] != "describe" && given[0] != "fetch"))
    throw Error(ErrorCode::usage,
                "check, describe or fetch and a data set's name are expected; mixop list datasets names them\nUsage: " +
                    data_syntax().usage);
  const bool check = given[0] == "check", fetched = given[0] == "fetch", json = values->count("json") != 0;
  if (fetched && values->count("set") != 0)
    throw Error(ErrorCode::usage, "--set is an option of data check and describe; leave it out");
  if (!fetched && values->count("from") != 0)
    throw Error(ErrorCode::usage, "--from is an option of data fetch; leave it out");
  const PluginRegistry plugins = load_plugins(*values);
  const char* environment = std::getenv("MIXOP_DATA");
  const std::string folder = text(*values, "data", environment != nullptr ? environment : "");
  std::string name = given[1];
  if (fetched) {
    if (values->count("from") != 0 && text(*values, "from").empty())
      throw Error(ErrorCode::usage, "--from: expected an address, found nothing; leave it out for the published ones");
    const PublishedData data = published(name, plugins);
    if (const int signal = fetch_published(data, folder, text(*values, "from"))) return 128 + signal;
    name = data.name;
  }
  const MixopDataset& table = plugins.dataset(name);
  JsonWriter writer;
  writer.begin_object().member("name", name).member("expects", std::string(table.expects));
  if (given[0] == "describe") json ? write_options(writer, table, name) : describe_table(table, name);
  // Without a folder opening a data set on disk is a usage error; so does a wrong --set, which no description excuses.
  const bool no_folder =
      values->count("data") == 0 && values->count("set") == 0 && (folder.empty() || can_be_read(folder));
  std::size_t corrupt = 0;
  try {
    const DatasetHandle data(name, table, folder, options_of(*values, name));
    if (check && data.info().many_sizes) {
      const std::vector<CorruptImage> found = decode_all(data);
      corrupt = found.size();
      if (json) write_corrupt(writer, found);
    } else if (check) {
      read_all(data);
    }
    for (const std::string& note : data.info().notes) say(note);
    json ? write_info(writer, data) : print_info(data);
  } catch (const Error& error) {
    // What is not at hand is described without its size; a folder that is named must be read.
    const bool absent = error.code() == ErrorCode::bad_data || error.code() == ErrorCode::usage;
    if (check || fetched || !no_folder || !absent) throw;
    json ? (void)writer.member("problem", std::string(error.what())) : say(error.what());
  }
  if (json) std::cout << writer.end().text() << std::endl;
  if (corrupt > 0)
    throw Error(ErrorCode::bad_data, "data set '" + name + "': images that cannot be decoded: " +
                                         std::to_string(corrupt) + "; their files are named above");
  return 0;
}

}  // namespace mixop::cli
