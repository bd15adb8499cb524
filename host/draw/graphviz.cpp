#include "host/draw/graphviz.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "host/draw/text_file.hpp"
#include "mixop/error.hpp"

extern char** environ;

namespace mixop {
namespace {

constexpr int kNoGraphviz = 127;

/// Runs `dot`, found on PATH, without a shell. Its exit status, or kNoGraphviz.
int run_dot(const std::string& format, const std::filesystem::path& from, const std::filesystem::path& to) {
  const std::string type = "-T" + format;
  const std::array<const char*, 6> arguments{"dot", type.c_str(), from.c_str(), "-o", to.c_str(), nullptr};
  pid_t child = 0;
  if (posix_spawnp(&child, "dot", nullptr, nullptr, const_cast<char* const*>(arguments.data()), environ) != 0)
    return kNoGraphviz;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
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
  source += ".partial.dot";
  drawn += ".partial";
  write_text(dot, source);
  const int status = run_dot(format, source, drawn);
  std::filesystem::remove(source);
  if (status == kNoGraphviz) {
    graph.replace_extension(".dot");
    write_text(dot, graph);
    return graph;
  }
  if (status != 0) {
    std::filesystem::remove(drawn);
    throw Error(ErrorCode::failed, file.string() + ": Graphviz ended with status " + std::to_string(status));
  }
  std::filesystem::rename(drawn, file);
  return file;
}

}  // namespace mixop
