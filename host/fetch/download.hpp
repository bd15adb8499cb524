#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace mixop {

/// Called several times a second with the bytes that a file has so far and will have, 0 where that is not known. False
/// stops the download.
using DownloadReport = std::function<bool(std::uint64_t done, std::uint64_t all)>;

/// An address without the name and password that it may hold.
std::string shown_address(const std::string& address);

/// A file's name as the last level of an address, with what has a meaning there as %XX.
std::string in_address(const std::string& name);

struct ExpectedBytes {
  std::uint64_t all;   ///< of the whole file; 0: not known
  std::uint64_t most;  ///< more are refused
};

enum class DownloadEnd { complete, stopped, unreachable, too_long };

struct Downloaded {
  DownloadEnd end;
  std::string problem =
      {};  ///< of one that is unreachable or too long: the address, and what the server or the network said
};

/// Brings what lies at an address (http or https, redirections among them, proxies as the environment names them) to
/// the end of an open file, of which what is there already is the beginning. Where the server does not go on from there
/// it begins anew. A connection that breaks, or that brings nothing for half a minute, is made again a few times; more
/// than `most` bytes end it. What came stays in the file. Throws failed where it cannot be written, of which `path` is
/// the name.
Downloaded download(const std::string& address, int file, const std::string& path, const ExpectedBytes& expected,
                    const DownloadReport& report);

}  // namespace mixop
