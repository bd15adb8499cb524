#pragma once

#include <string>
#include <vector>

#include "host/archive/archive.hpp"

namespace mixop {

/// One page of HTML about archives of searches and trained networks, with all that it needs in it: no address of
/// another place, and no script but its own, which a Content-Security-Policy holds it to. What archives say is data
/// there (JSON that is shown as text, pictures as images), never markup.
///
/// The archives must be checked. The pictures of cells are those of Graphviz; without it the page says so.
std::string report_page(const std::vector<const Archive*>& archives);

}  // namespace mixop
