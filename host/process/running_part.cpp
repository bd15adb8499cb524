#include "host/process/running_part.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <memory>
#include <new>

namespace mixop {
namespace {

constexpr int kCrashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

thread_local const RunningPart* running = nullptr;
// What the thread that entered last runs, for crashes in threads that a part has started itself.
std::atomic<const RunningPart*> entered{nullptr};

// A handler may do no more than write, on a stack of its own: the crash may be a stack that is full.
struct Line {
  std::array<char, 2048> text;
  std::size_t size = 0;
  void add(const char* words) {
    const std::size_t length = std::min(std::strlen(words), text.size() - size);
    std::memcpy(text.data() + size, words, length);
    size += length;
  }
};

/// Where a thread's crash is reported from, in place of what the thread had before.
class ReportStack {
 public:
  void use() noexcept {
    if (memory_ != nullptr) return;
    memory_.reset(new (std::nothrow) char[kSize]);
    if (memory_ == nullptr) return;
    stack_t place{};
    place.ss_sp = memory_.get();
    place.ss_size = kSize;
    ::sigaltstack(&place, &before_);
  }
  ~ReportStack() {
    if (memory_ != nullptr) ::sigaltstack(&before_, nullptr);
  }

 private:
  static constexpr std::size_t kSize = 64 * 1024;
  std::unique_ptr<char[]> memory_;
  stack_t before_{};
};
thread_local ReportStack report_stack;

const char* meaning(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "SIGSEGV, memory that is not its own";
    case SIGBUS:
      return "SIGBUS, memory that is not there";
    case SIGFPE:
      return "SIGFPE, an integer division by zero";
    case SIGILL:
      return "SIGILL, an instruction that the processor lacks";
    default:
      return "SIGABRT, an abort";
  }
}

}  // namespace

RunningPart::RunningPart(const std::string& part, const char* asked) noexcept
    : part_(part.c_str()), asked_(asked), outer_(running) {
  report_stack.use();
  running = this;
  entered.store(this, std::memory_order_relaxed);
}

RunningPart::~RunningPart() {
  running = outer_;
  entered.store(outer_, std::memory_order_relaxed);
}

void report_crashes() {
  report_stack.use();
  struct sigaction action {};
  action.sa_flags = SA_ONSTACK | SA_RESETHAND | SA_NODEFER;
  action.sa_handler = [](int signal) {
    const RunningPart* part = running != nullptr ? running : entered.load(std::memory_order_relaxed);
    static Line line;
    line.add("\nmixop: error: the program crashes (");
    line.add(meaning(signal));
    line.add(")");
    if (part != nullptr) {
      line.add(running != nullptr ? " while it runs " : " in a thread beside the one that runs ");
      line.add(part->part_);
      line.add(": ");
      line.add(part->asked_);
    }
    line.add("; archives are as they were written last\n");
    if (::write(STDERR_FILENO, line.text.data(), line.size) < 0) ::_exit(128 + signal);
    ::raise(signal);
  };
  for (const int signal : kCrashes) ::sigaction(signal, &action, nullptr);
}

void leave_crashes() {
  for (const int signal : kCrashes) std::signal(signal, SIG_DFL);
}

}  // namespace mixop
