#include "host/process/running_child.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "host/process/start_child.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

/// A file that a child writes, open here as long as the child is being started.
class OutputFile {
 public:
  explicit OutputFile(const std::filesystem::path& name) {
    if (name.empty()) return;
    descriptor_ = ::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (descriptor_ < 0)
      throw Error(ErrorCode::failed, name.string() + " cannot be written: " + std::strerror(errno));
  }
  ~OutputFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

pid_t started(const std::vector<std::string>& command, const ChildOutputs& outputs) {
  const OutputFile output(outputs.output), errors(outputs.errors);
  return start_child({command, output.descriptor(), errors.descriptor(), /*own_group=*/true});
}

}  // namespace

RunningChild::RunningChild(const std::vector<std::string>& command, const ChildOutputs& outputs)
    : child_(started(command, outputs)) {}

RunningChild::~RunningChild() {
  if (end_) return;
  signal(SIGKILL);
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<int> RunningChild::ended() {
  int status = 0;
  if (!end_ && ::waitpid(child_, &status, WNOHANG) == child_)
    end_ = WIFSIGNALED(status) ? kBehindSignals + WTERMSIG(status) : WEXITSTATUS(status);
  return end_;
}

void RunningChild::signal(int number) const {
  if (!end_) ::kill(child_, number);
}

}  // namespace mixop
