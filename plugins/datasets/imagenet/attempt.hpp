#pragma once

#include <csetjmp>

namespace mixop::imagenet {

/// For C libraries whose errors must not return: their handlers leave by longjmp, so the work holds nothing that a
/// destructor must free.
class Attempt {
 public:
  /// False where the work was left, with the reason in `problem`.
  template <class Work>
  bool run(const Work& work) {
    if (setjmp(failed_) != 0) return false;
    work();
    return true;
  }
  [[noreturn]] void leave() { std::longjmp(failed_, 1); }

  char problem[256] = "";

 private:
  std::jmp_buf failed_;
};

}  // namespace mixop::imagenet
