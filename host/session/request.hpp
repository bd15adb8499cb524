#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "host/config/schema.hpp"
#include "host/metrics/stream.hpp"

namespace mixop {

/// How a run treats its output.
enum class Start {
  fresh,      ///< there must be none
  overwrite,  ///< one that is there is replaced
  resume,     ///< goes on with it to the same bits
  more        ///< goes on with a finished search or training for more epochs
};

/// What is asked of a search or a training.
struct RunRequest {
  RunKind kind = RunKind::search;
  std::string preset_or_file;       ///< empty: the defaults alone
  std::optional<std::string> config_text;  ///< what the file holds, where it is a pipe, which is read once
  std::vector<std::string> sets;    ///< "key=value", in order
  std::optional<std::string> data;  ///< the data's folder; where a run goes on, another folder of the same data
  std::filesystem::path out;        ///< the archive
  std::string weights;              ///< a file of them, from which a new run's network begins; empty: they are drawn
  Start start = Start::fresh;
  StreamOptions metrics;
  std::string command_line;  ///< for the archive's provenance; any text

  bool goes_on() const { return start == Start::resume || start == Start::more; }
};

struct SearchRequest : RunRequest {};

struct TrainRequest : RunRequest {
  TrainRequest() { kind = RunKind::train; }
  /// A name, a file or an archive; a run that goes on may leave it empty.
  std::string genotype;
};

}  // namespace mixop
