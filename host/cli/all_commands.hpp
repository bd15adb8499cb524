#pragma once

#include <string>
#include <vector>

namespace mixop::cli {

/// The commands' entry points. Each takes the words after its name, returns the exit code, and throws Error for what
/// stops it.
int search_command(const std::vector<std::string>& arguments);
int train_command(const std::vector<std::string>& arguments);
int select_command(const std::vector<std::string>& arguments);
int reproduce_command(const std::vector<std::string>& arguments);
int sample_command(const std::vector<std::string>& arguments);
int swap_command(const std::vector<std::string>& arguments);
int evaluate_command(const std::vector<std::string>& arguments);
int import_command(const std::vector<std::string>& arguments);
int export_command(const std::vector<std::string>& arguments);
int derive_command(const std::vector<std::string>& arguments);
int summary_command(const std::vector<std::string>& arguments);
int draw_command(const std::vector<std::string>& arguments);
int distance_command(const std::vector<std::string>& arguments);
int report_command(const std::vector<std::string>& arguments);
int inspect_command(const std::vector<std::string>& arguments);
int verify_command(const std::vector<std::string>& arguments);
int compare_command(const std::vector<std::string>& arguments);
int list_command(const std::vector<std::string>& arguments);
int data_command(const std::vector<std::string>& arguments);
int plugins_command(const std::vector<std::string>& arguments);
int selftest_command(const std::vector<std::string>& arguments);
int bench_command(const std::vector<std::string>& arguments);

}  // namespace mixop::cli
