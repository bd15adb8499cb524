#include "host/cli/progress.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>

#include "host/text/printable.hpp"

namespace mixop::cli {
namespace {

using namespace std::chrono_literals;

template <class... Values>
std::string format(const char* pattern, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

/// How well the epoch goes so far, "accuracy 43.10 %".
std::string quality_text(const Metrics& means, const Task& task) {
  const Figure& figure = task.step_figure();
  return std::string(figure.label) + " " + value_text(figure, means.at(std::string("train_") + figure.name));
}

}  // namespace

std::string progress_bar(std::int64_t done, std::int64_t all) {
  constexpr std::int64_t kWidth = 24;
  const std::int64_t filled = all <= 0 ? 0 : std::clamp<std::int64_t>(kWidth * done / all, 0, kWidth);
  return "[" + std::string(static_cast<std::size_t>(filled), '#') +
         std::string(static_cast<std::size_t>(kWidth - filled), '-') + "]";
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<long long>(seconds + 0.5);
  if (whole >= 3600) return format("%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
  return format("%02lld:%02lld", whole / 60, whole % 60);
}

Progress::Progress(bool terminal) : terminal_(terminal), start_(Clock::now()), last_shown_(start_) {}

void Progress::show(const std::string& line) {
  if (terminal_) {
    std::cerr << "\r\033[K" << printable(line) << std::flush;
    open_line_ = true;
  } else {
    std::cerr << printable(line) << std::endl;
  }
}

void Progress::step(const SearchPosition& at, std::int64_t step, std::int64_t steps, double loss, const Metrics& means,
                    const Task& task) {
  ++steps_seen_;
  const auto now = Clock::now();
  const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10s);
  if (steps_seen_ > 1 && step < steps && now - last_shown_ < pause) return;
  if (!terminal_ && steps_seen_ > 1 && step == steps) return;
  last_shown_ = now;
  const double rate = static_cast<double>(steps_seen_) / std::chrono::duration<double>(now - start_).count();
  const auto left = static_cast<double>((at.epochs - at.epoch) * steps - step);
  show(format("epoch %lld/%lld %s step %lld/%lld  loss %.4f  %s  %.2f steps/s  %s left",
              static_cast<long long>(at.epoch + 1), static_cast<long long>(at.epochs),
              terminal_ ? progress_bar(step, steps).c_str() : "", static_cast<long long>(step), static_cast<long long>(steps),
              loss, quality_text(means, task).c_str(), rate, clock_text(left / rate).c_str()));
}

void Progress::epoch(const SearchPosition& at, const Metrics& metrics, const Task& task) {
  show(format("epoch %lld/%lld", static_cast<long long>(at.epoch), static_cast<long long>(at.epochs)) +
       task.epoch_text(metrics));
  end_line();
}

void Progress::end_line() {
  if (open_line_) std::cerr << std::endl;
  open_line_ = false;
}

}  // namespace mixop::cli
