#include "host/session/swap_journal.hpp"

#include <string_view>

#include "host/archive/file.hpp"
#include "host/files/output.hpp"
#include "host/search/strategy_history.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

std::filesystem::path journal_of(const std::filesystem::path& archive) { return archive.string() + ".swaps"; }

/// Links included.
bool is_there(const std::filesystem::path& file) {
  std::error_code none;
  const auto status = std::filesystem::symlink_status(file, none);
  if (status.type() == std::filesystem::file_type::not_found || none) return false;
  if (status.type() != std::filesystem::file_type::regular)
    throw Error(ErrorCode::usage, file.string() + ": expected a file of swaps or nothing, found something else; move it away");
  return true;
}

}  // namespace

std::vector<StrategyChange> journaled_swaps(const std::filesystem::path& archive) {
  const std::filesystem::path file = journal_of(archive);
  std::vector<StrategyChange> swaps;
  if (!is_there(file)) return swaps;
  const std::vector<std::byte> content = read_file(file);
  const std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
  // What is behind the last line's end was never confirmed.
  const std::vector<std::string> lines = split(text.substr(0, text.find_last_of('\n') + 1), '\n');
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    try {
      swaps.push_back(strategy_change(lines[i], "line " + std::to_string(i + 1)));
    } catch (const Error& error) {
      throw Error(ErrorCode::bad_data, file.string() + ": expected a swap of the search a line, found another file (" +
                                           error.what() + "); move it away");
    }
  }
  return swaps;
}

SwapJournal::SwapJournal(const std::filesystem::path& archive, bool goes_on)
    : file_(journal_of(archive)), left_(journaled_swaps(archive)) {
  if (!goes_on) left_.clear();
  all_ = left_;
  if (is_there(file_)) write(all_);  // without a last line that is not whole
}

std::vector<StrategyChange> SwapJournal::due(std::int64_t step) {
  std::vector<StrategyChange> taken;
  while (!left_.empty() && left_.front().step <= step) {
    if (left_.front().step == step) taken.push_back(left_.front());
    left_.erase(left_.begin());
  }
  return taken;
}

void SwapJournal::add(const StrategyChange& change) {
  all_.push_back(change);
  try {
    write(all_);
  } catch (const Error&) {
    all_.pop_back();
    throw;
  }
}

void SwapJournal::forget(std::int64_t step) {
  if (all_.empty()) return;
  const auto is_over = [&](const StrategyChange& change) { return change.step < step; };
  std::erase_if(left_, is_over);
  if (std::erase_if(all_, is_over) > 0) write(all_);
}

void SwapJournal::write(const std::vector<StrategyChange>& changes) const {
  if (changes.empty()) {
    std::error_code none;
    std::filesystem::remove(file_, none);
    return;
  }
  std::string text;
  for (const StrategyChange& change : changes) text += to_json(change) + "\n";
  write_text(text, file_);
}

}  // namespace mixop
