#include "host/session/swap_journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>
#include <span>

#include "host/archive/file.hpp"
#include "host/files/descriptor.hpp"
#include "host/search/strategy_history.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

std::filesystem::path journal_of(const std::filesystem::path& archive) { return archive.string() + ".swaps"; }

}  // namespace

std::vector<StrategyChange> journaled_swaps(const std::filesystem::path& archive) {
  const std::filesystem::path file = journal_of(archive);
  std::vector<StrategyChange> swaps;
  if (!std::filesystem::exists(file)) return swaps;
  const std::vector<std::byte> content = read_file(file);
  const std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
  // What is behind the last line's end was never confirmed.
  for (const std::string& line : split(text.substr(0, text.find_last_of('\n') + 1), '\n'))
    if (!line.empty()) swaps.push_back(strategy_change(line, file.string()));
  return swaps;
}

SwapJournal::SwapJournal(const std::filesystem::path& archive, bool goes_on) : file_(journal_of(archive)) {
  if (!goes_on) clear();
  left_ = journaled_swaps(archive);
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
  const std::string name = file_.string(), line = to_json(change) + "\n";
  const Descriptor file(repeated(
      [&] { return ::open(name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666); }));
  if (file.get() < 0) fail_step(name, "opening", errno);
  if (!is_single_file(file.get())) throw Error(ErrorCode::failed, name + ": not a regular file of one name");
  write_all(file.get(), std::as_bytes(std::span(line)), name);
  if (::fsync(file.get()) != 0) fail_step(name, "syncing", errno);
}

void SwapJournal::clear() {
  std::error_code none;
  std::filesystem::remove(file_, none);
}

}  // namespace mixop
