#pragma once

#include <string>

#include "host/fetch/published.hpp"
#include "host/plugins/registry.hpp"

namespace mixop::cli {

/// The published data set of a name, of its own or of its folder ("wikitext-2"); a usage error where none is known.
PublishedData published(const std::string& name, const PluginRegistry& plugins);

/// Fetches it, from a mirror where one is named, into the folder of the data sets unless it is there, and reports on
/// stderr how that goes on. Returns the number of the signal that stopped it, or 0.
int fetch_published(const PublishedData& asked, const std::string& folder, const std::string& mirror);

}  // namespace mixop::cli
