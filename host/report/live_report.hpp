#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/files/file_version.hpp"
#include "host/report/report.hpp"

namespace mixop {

/// The data of a page about runs that may go on.
class LiveReport {
 public:
  /// Throws bad_data unless each file is an archive, or a run that has none yet writes it. The application must outlive
  /// it.
  LiveReport(const std::vector<std::string>& files, const Application& application);

  /// As the archives stand; only those that changed are read. Throws as the constructor does.
  std::string data();

 private:
  struct Run {
    std::string file;
    std::optional<FileVersion> seen{};
    std::string json{};  ///< empty: there is no archive yet
  };
  /// Whether a run goes on in that file.
  bool refresh(Run& run);

  Report report_;
  std::vector<Run> runs_;
};

}  // namespace mixop
