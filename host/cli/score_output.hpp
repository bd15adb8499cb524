#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/task/confusion.hpp"
#include "host/task/score.hpp"
#include "host/task/task.hpp"

namespace mixop::cli {

/// What evaluate found on `records` records of a split, as JSON or as a table. `confusion` is null where none was
/// counted, and `names` are those of its classes.
void write_score(const Task& task, const Score& score, std::int64_t records, const std::string& split,
                 const Confusion* confusion, const std::vector<std::string>& names);
void print_score(const Task& task, const Score& score, std::int64_t records, const std::string& split,
                 const Confusion* confusion, const std::vector<std::string>& names);

}  // namespace mixop::cli
