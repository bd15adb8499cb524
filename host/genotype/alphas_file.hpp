#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace mixop {

/// Raw alphas of one kind of cell, row-major: [edges, operations], or [cells, edges, operations] for `cells` above 0.
struct RawAlphas {
  std::string name;  ///< "alphas", "alphas_normal", ...
  std::size_t cells = 0;
  std::size_t edges = 0;
  std::size_t operations = 0;
  std::vector<double> values;
};

struct AlphasFile {
  std::vector<std::vector<RawAlphas>> cases;
  bool is_list = false;  ///< the file holds a list of cases, so the answer is a list, too
};

/// Reads {"alphas_normal": [[...]], "alphas_reduce": [[...]]}, {"alphas": [[...]]} or, per cell, {"alphas": [[[...]]]},
/// or a list of such cases, or {"cases": [...]}. "raw_alphas" means "alphas", or is an object of them; other keys are
/// ignored but those in `names`, the space's own. Whatever is not a rectangle of finite numbers is a bad_data error
/// with its line.
AlphasFile read_alphas_file(const std::filesystem::path& path, const std::vector<std::string>& names = {});

/// The same for a text; `file` names it in errors.
AlphasFile parse_alphas(std::string_view text, const std::string& file, const std::vector<std::string>& names = {});

}  // namespace mixop
