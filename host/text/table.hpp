#pragma once

#include <string>
#include <vector>

namespace mixop {

enum class Align { left, right };

/// Lines of columns as wide as their widest cells, two blanks apart. Columns behind the last of `aligns` are aligned as
/// that one. Rows may have different numbers of cells. No blanks end a line. Cells are shown printable, in
/// characters of UTF-8.
std::string table_text(const std::vector<std::vector<std::string>>& cells, const std::vector<Align>& aligns);

/// A number with so many digits behind its point.
std::string fixed_text(double value, int digits);

}  // namespace mixop
