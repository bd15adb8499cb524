#include "host/process/confined.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <new>
#include <optional>
#include <vector>

#include "host/files/descriptor.hpp"
#include "host/process/memory_room.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

constexpr int kWorkFailed = 1, kNoMemory = 2, kNotConfined = 3;
/// The child's only descriptor of use.
constexpr int kOutput = 3;
/// Seconds on the clock for each of processor time.
constexpr unsigned kWallFactor = 20;

[[noreturn]] void fail(const std::string& what) {
  throw Error(ErrorCode::failed, "a confined child process cannot be started: " + what + ": " + std::strerror(errno));
}

/// `grace`: what lies between the signal and the end.
void limit(int what, std::uint64_t most, std::uint64_t grace = 0) {
  rlimit now{};
  if (::getrlimit(static_cast<__rlimit_resource_t>(what), &now) != 0) ::_exit(kNotConfined);
  const rlimit wanted{std::min<rlim_t>(most, now.rlim_max), std::min<rlim_t>(most + grace, now.rlim_max)};
  if (::setrlimit(static_cast<__rlimit_resource_t>(what), &wanted) != 0) ::_exit(kNotConfined);
}

#if defined(__x86_64__)
constexpr unsigned kMachine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kMachine = AUDIT_ARCH_AARCH64;
#else
#error "name the audit architecture of this machine, so that system calls can be told apart"
#endif

/// Calls that reach nothing outside the process, and write() to kOutput; everything else fails with EPERM.
std::vector<sock_filter> filter() {
  constexpr unsigned kAllowed[] = {
#ifdef SYS_brk
      SYS_brk,
#endif
      SYS_mmap, SYS_munmap,     SYS_mremap,       SYS_mprotect,      SYS_madvise,   SYS_futex,
      SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_clock_gettime, SYS_getrandom, SYS_sched_yield};
  const auto statement = [](unsigned code, unsigned value) {
    return sock_filter{static_cast<unsigned short>(code), 0, 0, value};
  };
  const auto skip_unless = [](unsigned value, unsigned char skipped) {
    return sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, skipped, value};
  };
  std::vector<sock_filter> program = {
      statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      skip_unless(kMachine, 1),
      statement(BPF_JMP | BPF_JA, 1),
      statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
  };
  for (const unsigned call : kAllowed) {
    program.push_back(skip_unless(call, 1));
    program.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  program.push_back(skip_unless(SYS_write, 3));
  program.push_back(statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)));
  program.push_back(skip_unless(kOutput, 1));
  program.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  program.push_back(statement(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  return program;
}

/// Kernels and containers without seccomp say EINVAL or EPERM; the limits hold there all the same.
void forbid_calls(const std::vector<sock_filter>& calls) {
  const sock_fprog program{static_cast<unsigned short>(calls.size()), const_cast<sock_filter*>(calls.data())};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

/// Faults end the child. What asks a program to stop is for its parent, which a terminal tells at the same time.
void default_signals() {
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2}) ::signal(number, SIG_IGN);
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_UNBLOCK, &all, nullptr);
}

void write_all(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = repeated([&] { return ::write(kOutput, bytes.data(), bytes.size()); });
    if (written <= 0) ::_exit(kWorkFailed);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

[[noreturn]] void work_confined(const Confinement& limits, std::uint64_t memory_now, int output, pid_t parent,
                                const std::vector<sock_filter>& calls,
                                const std::function<void(const ConfinedOutput&)>& work) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kNotConfined);
  default_signals();
  if (::dup2(output, kOutput) != kOutput) ::_exit(kNotConfined);
#ifdef SYS_close_range
  ::syscall(SYS_close_range, kOutput + 1, ~0U, 0);  // where the kernel has it: the filter forbids their use anyway
#endif
  limit(RLIMIT_AS, memory_now + limits.memory);
  limit(RLIMIT_FSIZE, limits.output);
  limit(RLIMIT_CPU, limits.seconds, 1);
  limit(RLIMIT_CORE, 0);
  ::alarm(kWallFactor * limits.seconds);  // should it ever wait, which takes no processor time
  forbid_calls(calls);
  try {
    work(write_all);
  } catch (const std::bad_alloc&) {
    ::_exit(kNoMemory);
  } catch (...) {
    ::_exit(kWorkFailed);
  }
  ::_exit(0);
}

std::string end_of(int status, const Confinement& limits) {
  if (WIFEXITED(status)) {
    if (WEXITSTATUS(status) == kNoMemory)
      return "wanted more than " + std::to_string(limits.memory >> 20) + " MiB of memory";
    return "ended with status " + std::to_string(WEXITSTATUS(status));
  }
  const int number = WTERMSIG(status);
  if (number == SIGXCPU) return "took more than " + std::to_string(limits.seconds) + " s of processor time";
  if (number == SIGALRM) return "did not end within " + std::to_string(kWallFactor * limits.seconds) + " s";
  if (number == SIGXFSZ) return "wrote more than " + std::to_string(limits.output >> 20) + " MiB";
  return "was ended by signal " + std::to_string(number) + " (" + ::strsignal(number) + ")";
}

}  // namespace

MappedBytes::MappedBytes(int descriptor) {
  struct stat info {};
  if (::fstat(descriptor, &info) != 0) fail("fstat");
  if (info.st_size == 0) return;
  size_ = static_cast<std::size_t>(info.st_size);
  void* start = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor, 0);
  if (start == MAP_FAILED) fail("mmap");
  start_ = static_cast<const std::byte*>(start);
}

MappedBytes::~MappedBytes() {
  if (start_ != nullptr) ::munmap(const_cast<std::byte*>(start_), size_);
}

ConfinedResult run_confined(const Confinement& limits, const std::function<void(const ConfinedOutput&)>& work) {
  const Descriptor output(::memfd_create("mixop-confined", MFD_CLOEXEC));
  if (output.get() < 0) fail("memfd_create");
  const std::optional<std::int64_t> memory = address_space();
  if (!memory) fail("/proc/self/statm");
  const std::vector<sock_filter> calls = filter();
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) work_confined(limits, static_cast<std::uint64_t>(*memory), output.get(), parent, calls, work);
  if (child < 0) fail("fork");
  int status = 0;
  if (repeated([&] { return ::waitpid(child, &status, 0); }) != child) fail("waiting for it (is SIGCHLD ignored?)");
  ConfinedResult result;
  result.whole = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (result.whole)
    result.output = MappedBytes(output.get());
  else if (WIFEXITED(status) && WEXITSTATUS(status) == kNotConfined)
    throw Error(ErrorCode::failed, "a confined child process cannot be started: its limits cannot be set");
  else
    result.end = end_of(status, limits);
  return result;
}

}  // namespace mixop
