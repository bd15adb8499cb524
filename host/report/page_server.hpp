#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace mixop {

struct Document {
  std::string type;  ///< "text/html"
  std::string body;
};

/// Documents by their paths, made when they are asked for. What a maker throws is an answer of status 503.
using Site = std::map<std::string, std::function<Document()>>;

/// Serves a site over HTTP on the loopback address 127.0.0.1 alone, in this thread, until SIGINT, SIGTERM or SIGHUP,
/// and returns the signal. Calls `ready` with the port once it listens. Port 0: one that is free. Only GET of the
/// site's own paths is answered, and only where the Host header is 127.0.0.1 or localhost with the port, so that no
/// page from elsewhere reads it under a name of its own. Documents have ETags. Throws failed where the port cannot be
/// had.
int serve_pages(std::uint16_t port, const Site& site, const std::function<void(std::uint16_t)>& ready);

}  // namespace mixop
