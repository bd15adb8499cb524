#include "host/data/digest.hpp"

namespace mixop {

std::string dataset_digest(const DatasetHandle& data) {
  std::string lines;
  if (data.info().files.empty() && data.listing().empty()) lines += data.name() + "\n";
  for (const auto& [key, value] : data.options()) lines += data.name() + "." + key + "=" + value + "\n";
  for (const std::string& file : data.info().files)
    lines += sha256_of_file(file) + "  " + std::filesystem::path(file).filename().string() + "\n";
  if (!data.listing().empty()) lines += sha256_of_text(data.listing()) + "  listing\n";
  return sha256_of_text(lines);
}

}  // namespace mixop
