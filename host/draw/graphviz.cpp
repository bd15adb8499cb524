#include "host/draw/graphviz.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <span>

#include "host/files/descriptor.hpp"
#include "host/files/new_file.hpp"
#include "host/files/output.hpp"
#include "host/process/child_process.hpp"
#include "host/process/program.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

constexpr std::chrono::seconds kLongest{600};

/// The ending without its dot.
std::string format_of(const std::filesystem::path& file) {
  return file.extension().empty() ? "" : file.extension().string().substr(1);
}

/// Why Graphviz drew nothing; empty where it did.
std::string failure_of(const ChildResult& result, std::chrono::seconds longest) {
  switch (result.end) {
    case ChildResult::End::exited:
      return result.code == 0 ? "" : "ended with status " + std::to_string(result.code);
    case ChildResult::End::killed:
      return "was killed by signal " + std::to_string(result.code);
    case ChildResult::End::timed_out:
      return "took more than " + std::to_string(longest.count()) + " seconds";
  }
  return "";
}

}  // namespace

void require_picture(const std::filesystem::path& file) {
  const std::string format = format_of(file);
  if (format != "svg" && format != "png" && format != "pdf" && format != "dot")
    throw Error(ErrorCode::usage, file.string() + ": pictures end in .svg, .png, .pdf or .dot");
  require_writable(file);
}

std::filesystem::path write_picture(const std::string& dot, const std::filesystem::path& file) {
  require_picture(file);
  const std::string format = format_of(file);
  const auto program = program_on_path("dot");
  if (format == "dot" || !program) {
    std::filesystem::path graph = file;
    write_text(dot, graph.replace_extension(".dot"));
    return graph;
  }
  remove_leftovers(file);
  NewFile source(file), drawn(file);
  source.write(std::as_bytes(std::span(dot)));
  const ChildResult result = run_child({*program, "-T" + format, source.path(), "-o", drawn.path()}, kLongest);
  if (const std::string failure = failure_of(result, kLongest); !failure.empty())
    throw Error(ErrorCode::failed, file.string() + ": Graphviz " + failure);
  drawn.sync();
  drawn.replace_target();
  return file;
}

std::string svg_of(const std::string& dot, std::chrono::seconds longest) {
  const auto program = program_on_path("dot");
  if (!program) return "";
  const Descriptor graph(::memfd_create("graph", MFD_CLOEXEC));
  if (graph.get() < 0) fail_step("a picture", "making room for its graph", errno);
  write_all(graph.get(), std::as_bytes(std::span(dot)), "a picture's graph");
  const std::string path = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(graph.get());
  const ChildResult result = run_child({*program, "-Tsvg", path}, longest);
  const std::string failure = failure_of(result, longest);
  if (!failure.empty() || result.left_out > 0)
    throw Error(ErrorCode::failed, "Graphviz " + (failure.empty() ? "wrote more than 1 MiB" : failure));
  return result.output;
}

}  // namespace mixop
