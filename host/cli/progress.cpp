#include "host/cli/progress.hpp"

#include <cmath>
#include <cstdio>
#include <iostream>

namespace mixop::cli {
namespace {

using namespace std::chrono_literals;

template <class... Values>
std::string format(const char* pattern, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

std::string bar(std::int64_t done, std::int64_t all) {
  constexpr std::int64_t kWidth = 24;
  const std::int64_t filled = all == 0 ? 0 : kWidth * done / all;
  return "[" + std::string(static_cast<std::size_t>(filled), '#') +
         std::string(static_cast<std::size_t>(kWidth - filled), '-') + "]";
}

/// How well the epoch goes so far.
std::string quality_text(const EpochSums& sums) {
  const auto samples = static_cast<double>(sums.samples);
  if (sums.words) return format("perplexity %.6g", perplexity_of(sums.mean_loss()));
  return format("accuracy %.2f %%", 100.0 * static_cast<double>(sums.correct) / samples);
}

}  // namespace

std::string clock_text(double seconds) {
  const auto whole = static_cast<long long>(seconds + 0.5);
  if (whole >= 3600) return format("%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
  return format("%02lld:%02lld", whole / 60, whole % 60);
}

Progress::Progress(bool terminal) : terminal_(terminal), start_(Clock::now()), last_shown_(start_) {}

void Progress::show(const std::string& line) {
  if (terminal_) {
    std::cerr << "\r\033[K" << line << std::flush;
    open_line_ = true;
  } else {
    std::cerr << line << std::endl;
  }
}

void Progress::step(const SearchPosition& at, std::int64_t step, std::int64_t steps, double loss,
                    const EpochSums& sums) {
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
              terminal_ ? bar(step, steps).c_str() : "", static_cast<long long>(step), static_cast<long long>(steps),
              loss, quality_text(sums).c_str(), rate, clock_text(left / rate).c_str()));
}

void Progress::epoch(const SearchPosition& at, const Metrics& metrics) {
  struct Shown {
    const char *metric, *pattern;
  };
  constexpr Shown kShown[] = {{"train_loss", "  train loss %.4f"},
                              {"train_accuracy", "  train accuracy %.2f %%"},
                              {"valid_loss", "  valid loss %.4f"},
                              {"valid_accuracy", "  valid accuracy %.2f %%"},
                              {"train_perplexity", "  train perplexity %.6g"},
                              {"valid_perplexity", "  valid perplexity %.6g"},
                              {"valid_top1", "  valid top-1 %.2f %%"},
                              {"test_loss", "  test loss %.4f"},
                              {"test_top1", "  test top-1 %.2f %%"},
                              {"test_top5", "  top-5 %.2f %%"}};
  std::string line = format("epoch %lld/%lld", static_cast<long long>(at.epoch), static_cast<long long>(at.epochs));
  for (const Shown& shown : kShown)
    if (const auto found = metrics.find(shown.metric); found != metrics.end())
      line += format(shown.pattern, found->second);
  show(line);
  end_line();
}

void Progress::end_line() {
  if (open_line_) std::cerr << std::endl;
  open_line_ = false;
}

}  // namespace mixop::cli
