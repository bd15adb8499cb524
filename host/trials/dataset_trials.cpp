#include "host/trials/dataset_trials.hpp"

#include <algorithm>
#include <exception>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "host/data/dataset_handle.hpp"
#include "host/data/digest.hpp"
#include "host/text/text.hpp"

namespace mixop {
namespace {

constexpr std::int64_t kChunk = 64, kMostBytes = std::int64_t{64} << 20, kFewRecords = 512;
constexpr int kThreads = 4;

/// The first records of the chunks that are read: all, or those at both ends.
std::vector<std::int64_t> chunks_of(std::int64_t records, std::int64_t bytes) {
  const std::int64_t all = (records + kChunk - 1) / kChunk, few = kFewRecords / kChunk;
  std::vector<std::int64_t> chunks;
  for (std::int64_t i = 0; i < all; ++i)
    if (records * std::max<std::int64_t>(bytes, 8) <= kMostBytes || i < few || i >= all - few) chunks.push_back(i * kChunk);
  return chunks;
}

struct Chunk {
  std::vector<std::uint8_t> values;
  std::vector<std::int64_t> targets;
  friend bool operator==(const Chunk&, const Chunk&) = default;
};

Chunk read(const DatasetHandle& data, int split, std::int64_t first) {
  const DatasetInfo& info = data.info();
  const std::int64_t count = std::min(kChunk, info.records[static_cast<std::size_t>(split)] - first);
  Chunk chunk;
  chunk.targets.resize(static_cast<std::size_t>(count));
  if (!info.many_sizes) chunk.values.resize(static_cast<std::size_t>(count * info.record_bytes()));
  data.read(split, first, count, chunk.values.empty() ? nullptr : chunk.values.data(), chunk.targets.data());
  for (std::int64_t record = first; record < first + count && info.many_sizes; ++record)
    data.decode(split, record, [&](std::int32_t height, std::int32_t width, const std::uint8_t* pixels) {
      chunk.values.insert(chunk.values.end(), pixels, pixels + std::int64_t{height} * width * info.channels);
    });
  return chunk;
}

/// Read by one thread, then by several at once, each beginning elsewhere.
void require_alike(const DatasetHandle& data, int split) {
  const std::vector<std::int64_t> chunks = chunks_of(data.info().records[static_cast<std::size_t>(split)], data.info().record_bytes());
  std::vector<Chunk> expected;
  for (const std::int64_t first : chunks) expected.push_back(read(data, split, first));
  std::vector<std::exception_ptr> problems(kThreads);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([&, thread] {
      try {
        for (std::size_t i = 0; i < chunks.size(); ++i) {
          const std::size_t at = (i + chunks.size() * static_cast<std::size_t>(thread) / kThreads) % chunks.size();
          if (!(read(data, split, chunks[at]) == expected[at]))
            throw Error(ErrorCode::plugin, "records " + std::to_string(chunks[at]) + " to " + std::to_string(chunks[at] + kChunk - 1) +
                                               " of the split '" + split_name(split) +
                                               "' are others where several threads read; read() and decode() may be called from several");
        }
      } catch (...) {
        problems[static_cast<std::size_t>(thread)] = std::current_exception();
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& problem : problems)
    if (problem) std::rethrow_exception(problem);
}

void run(const std::string& component, const std::string& name, const TrialSink& report, const std::function<void()>& body) {
  Trial trial{component, name, true, ""};
  try {
    body();
  } catch (const std::exception& error) {
    trial.passed = false;
    trial.detail = first_paragraph(error.what());
  }
  report(trial);
}

}  // namespace

void try_dataset(const MixopDataset& table, const std::string& name, const std::string& folder, const TrialSink& report) {
  std::unique_ptr<DatasetHandle> data;
  Trial opens{name, "opens, or says why not", true, ""};
  try {
    data = std::make_unique<DatasetHandle>(name, table, folder);
  } catch (const Error& error) {
    opens.passed = error.code() == ErrorCode::usage || error.code() == ErrorCode::bad_data;
    if (!opens.passed) opens.detail = first_paragraph(error.what());
    if (!folder.empty() && opens.passed) opens.name += "; it said: " + first_paragraph(error.what());
  }
  report(opens);
  if (!data) return;
  run(name, "records, by several threads", report, [&] {
    for (int split = 0; split < MIXOP_SPLIT_COUNT; ++split) require_alike(*data, split);
  });
  run(name, "digest", report, [&] {
    const DatasetHandle other(name, table, folder);
    if (dataset_digest(*data) != dataset_digest(other))
      throw Error(ErrorCode::plugin, "two openings of the same folder have other digests; list the files that it is made of, in one order");
  });
}

}  // namespace mixop
