#include "host/draw/graphviz.hpp"

#include <chrono>

#include "host/draw/text_file.hpp"
#include "host/process/child_process.hpp"
#include "host/process/program.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

constexpr std::chrono::minutes kLongest{10};

/// Why Graphviz drew nothing; empty where it did.
std::string failure_of(const ChildResult& result) {
  switch (result.end) {
    case ChildResult::End::exited:
      return result.code == 0 ? "" : "ended with status " + std::to_string(result.code);
    case ChildResult::End::killed:
      return "was killed by signal " + std::to_string(result.code);
    case ChildResult::End::timed_out:
      return "took more than " + std::to_string(kLongest.count()) + " minutes";
  }
  return "";
}

}  // namespace

std::filesystem::path write_picture(const std::string& dot, const std::filesystem::path& file) {
  const std::string format = file.extension().empty() ? "" : file.extension().string().substr(1);
  if (format != "svg" && format != "png" && format != "pdf" && format != "dot")
    throw Error(ErrorCode::usage, file.string() + ": pictures end in .svg, .png, .pdf or .dot");
  // Asked beforehand: after the drawing, the rename alone would find out.
  require_no_folder(file);
  if (format == "dot") {
    write_text(dot, file);
    return file;
  }
  std::filesystem::path source = file, drawn = file, graph = file;
  const auto program = program_on_path("dot");
  if (!program) {
    graph.replace_extension(".dot");
    write_text(dot, graph);
    return graph;
  }
  source += ".partial.dot";
  drawn += ".partial";
  write_text(dot, source);
  const ChildResult result = run_child({*program, "-T" + format, source, "-o", drawn}, kLongest);
  std::filesystem::remove(source);
  if (const std::string failure = failure_of(result); !failure.empty()) {
    std::filesystem::remove(drawn);
    throw Error(ErrorCode::failed, file.string() + ": Graphviz " + failure);
  }
  std::filesystem::rename(drawn, file);
  return file;
}

}  // namespace mixop
