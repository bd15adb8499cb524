#include "host/report/live_report.hpp"

#include "host/archive/file.hpp"
#include "host/train/network_check.hpp"

namespace mixop {

LiveReport::LiveReport(const std::vector<std::string>& files, const Application& application)
    : report_(application, "") {
  for (const std::string& file : files) refresh(runs_.emplace_back(Run{file}));
}

std::string LiveReport::data() {
  bool writing = false;
  std::vector<std::string> known;
  for (Run& run : runs_) {
    writing = refresh(run) || writing;
    if (!run.json.empty()) known.push_back(run.json);
  }
  return report_data(known, PageKind::served, writing);
}

bool LiveReport::refresh(Run& run) {
  const bool writing = lock_holder(run.file).has_value();  // before the archive: what it wrote last is seen
  if (writing && !std::filesystem::exists(run.file)) return true;
  if (const FileVersion now = version_of(run.file); run.seen != now) {
    const Archive archive = Archive::open(run.file);
    check_archive(archive);
    run.json = report_.run(archive);
    run.seen = now;
  }
  return writing;
}

}  // namespace mixop
