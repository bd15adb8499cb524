#include "host/cli/metrics_options.hpp"

namespace mixop::cli {
void add_metrics_options(CommandSyntax& syntax) {
  syntax.options.add_options()("metrics", po::value<std::string>()->implicit_value(kMetricsFile)->value_name("FILE"),
                               "writes metrics as JSON lines while it runs; default: metrics.jsonl beside the archive")(
      "tensorboard", po::value<std::string>()->implicit_value(kEventsFolder)->value_name("DIR"),
      "writes TensorBoard's event files while it runs; default: the folder tensorboard beside the archive")(
      "metrics-every", po::value<std::int64_t>()->value_name("N")->default_value(10),
      "steps from one of their entries to the next; every epoch has one as well");
}

StreamOptions metrics_options(const po::variables_map& values, const std::filesystem::path& out) {
  StreamOptions options;
  const std::filesystem::path folder = out.parent_path();
  if (values.count("metrics") != 0) options.lines = folder / text(values, "metrics");
  if (values.count("tensorboard") != 0) options.tensorboard = folder / text(values, "tensorboard") / out.stem();
  options.every = values["metrics-every"].as<std::int64_t>();
  if (options.every < 1)
    throw Error(ErrorCode::usage,
                "--metrics-every: expected a number of steps from 1 on, found " + std::to_string(options.every));
  return options;
}

}  // namespace mixop::cli
