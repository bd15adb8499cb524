#pragma once

#include <map>
#include <string>

namespace mixop {

/// The text of a page's template with a value for each name that stands in it as @@NAME@@. Throws failed, beginning
/// with `file`, unless the names in it are those of the values, each once.
std::string filled(const std::string& page, const std::map<std::string, std::string>& values, const std::string& file);

/// JSON as it may stand within a script element: nothing in it ends that.
std::string within_script(const std::string& json);

std::string base64(const std::string& bytes);

/// The source of a Content-Security-Policy that allows this text alone: 'sha256-...'.
std::string policy_source(const std::string& text);

}  // namespace mixop
