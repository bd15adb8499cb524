#pragma once

#include <string>
#include <vector>

#include "host/archive/archive.hpp"
#include "host/report/pictures.hpp"
#include "host/session/application.hpp"

namespace mixop {

/// What a page tells of runs, one at a time, so that no two archives are in memory.
class Report {
 public:
  /// `data_folder`: where the data lies that networks of images are measured on; empty: they are not.
  Report(const Application& application, std::string data_folder)
      : application_(application), data_folder_(std::move(data_folder)) {}

  /// What a checked archive tells, as JSON.
  std::string run(const Archive& archive);

 private:
  const Application& application_;
  std::string data_folder_;
  Pictures pictures_;
};

/// Whether a page is a file, or is served and asks for what is new.
enum class PageKind { file, served };

/// The data of a page about runs, of which `writing` says whether some go on.
std::string report_data(const std::vector<std::string>& runs, PageKind kind, bool writing);

/// One page of HTML about such data, with all that it needs in it: no address of another place, and no script but its
/// own, which a Content-Security-Policy holds it to. What archives say is data there (JSON that is shown as text,
/// pictures as images), never markup.
std::string report_page(const std::string& data, PageKind kind);

}  // namespace mixop
