#include "host/fetch/download.hpp"

#include <curl/curl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <memory>
#include <span>
#include <thread>

#include "host/files/descriptor.hpp"
#include "host/text/printable.hpp"
#include "mixop/version.h"

namespace mixop {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Session = std::unique_ptr<CURL, void (*)(CURL*)>;

constexpr int kTries = 5;
constexpr long kConnectSeconds = 20, kSilentSeconds = 30, kMostRedirections = 10;
constexpr auto kReportEvery = 100ms;

/// What a transfer's callbacks, through which no exception may pass, leave for it.
struct Transfer {
  int file;
  const std::string& path;
  std::uint64_t begun;  // with so many bytes
  std::uint64_t done;
  std::uint64_t most;
  const DownloadReport& report;
  Clock::time_point reported{};
  bool stopped = false, too_long = false;
  std::exception_ptr problem = nullptr;
};

std::size_t take(char* bytes, std::size_t, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (count > transfer.most - transfer.done) {
    transfer.too_long = true;
    return 0;
  }
  try {
    write_all(transfer.file, std::as_bytes(std::span(bytes, count)), transfer.path);
  } catch (...) {
    transfer.problem = std::current_exception();
    return 0;
  }
  transfer.done += count;
  return count;
}

int watch(void* user, curl_off_t all, curl_off_t, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (Clock::now() - transfer.reported < kReportEvery) return 0;
  transfer.reported = Clock::now();
  const std::uint64_t rest = all > 0 ? static_cast<std::uint64_t>(all) : 0;
  const std::uint64_t whole = rest > 0 && rest <= transfer.most - transfer.begun ? transfer.begun + rest : 0;
  try {
    transfer.stopped = !transfer.report(transfer.done, whole);
  } catch (...) {
    transfer.problem = std::current_exception();
  }
  return transfer.stopped || transfer.problem != nullptr ? 1 : 0;
}

/// The authorities that connections are checked against: libcurl's own place is that of the system it was built on.
std::string authorities() {
  for (const char* variable : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"})
    if (const char* named = std::getenv(variable); named != nullptr && *named != '\0') return named;
  for (const char* place : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                            "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"})
    if (::access(place, R_OK) == 0) return place;
  return "";
}

template <class Value>
void set(CURL* curl, CURLoption option, Value value) {
  if (const CURLcode code = curl_easy_setopt(curl, option, value); code != CURLE_OK)
    throw Error(ErrorCode::failed, "libcurl cannot be told what a download needs (option " + std::to_string(option) +
                                       "): " + curl_easy_strerror(code));
}

Session new_session(const std::string& address, Transfer& transfer, std::array<char, CURL_ERROR_SIZE>& problem) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  Session session(ready == CURLE_OK ? curl_easy_init() : nullptr, curl_easy_cleanup);
  if (session == nullptr) throw Error(ErrorCode::failed, "libcurl could not be made ready");
  CURL* const curl = session.get();
  set(curl, CURLOPT_URL, address.c_str());
  set(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  set(curl, CURLOPT_REDIR_PROTOCOLS_STR, address.rfind("https:", 0) == 0 ? "https" : "http,https");
  set(curl, CURLOPT_FOLLOWLOCATION, 1L);
  set(curl, CURLOPT_MAXREDIRS, kMostRedirections);
  set(curl, CURLOPT_FAILONERROR, 1L);
  set(curl, CURLOPT_NOSIGNAL, 1L);
  set(curl, CURLOPT_USERAGENT, "mixop/" MIXOP_VERSION_STRING);
  set(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  set(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(curl, CURLOPT_LOW_SPEED_TIME, kSilentSeconds);
  set(curl, CURLOPT_ERRORBUFFER, problem.data());
  set(curl, CURLOPT_WRITEFUNCTION, take);
  set(curl, CURLOPT_WRITEDATA, &transfer);
  set(curl, CURLOPT_NOPROGRESS, 0L);
  set(curl, CURLOPT_XFERINFOFUNCTION, watch);
  set(curl, CURLOPT_XFERINFODATA, &transfer);
  set(curl, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(transfer.begun));
  if (const std::string trusted = authorities(); !trusted.empty())
    set(curl, CURLOPT_CAINFO, trusted.c_str());
  return session;
}

/// Of errors that another try may not meet.
bool may_pass(CURLcode code, long status, bool begun) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_SSL_CONNECT_ERROR:
      return begun;  // where nothing came yet, there is no network, or no such place
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return true;
    case CURLE_HTTP_RETURNED_ERROR:
      return status == 408 || status == 429 || status >= 500;
    default:
      return false;
  }
}

/// Whether the server does not take the beginning that is there: it sends no ranges, or has less.
bool is_no_beginning(CURLcode code, long status) { return code == CURLE_RANGE_ERROR || status == 416; }

std::uint64_t size_of(int file, const std::string& path) {
  struct stat info {};
  if (::fstat(file, &info) != 0) fail_step(path, "looking at it", errno);
  return static_cast<std::uint64_t>(info.st_size);
}

void cut(int file, const std::string& path, std::uint64_t size) {
  if (::ftruncate(file, static_cast<off_t>(size)) != 0) fail_step(path, "beginning anew", errno);
}

/// Whether an answer that seems whole is not: one without its length, or a shorter part than was asked for.
bool is_cut_off(CURL* session, long status, std::uint64_t done, std::uint64_t all) {
  curl_off_t length = -1;
  curl_easy_getinfo(session, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  return done < all && (length < 0 || status == 206);
}

/// Whether an answer from the first byte on may be all of the file, of which the length is known or not.
bool may_be_whole(CURL* session, long status, std::uint64_t all) {
  curl_off_t length = -1;
  curl_easy_getinfo(session, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  return all == 0 || (status == 200 && (length < 0 || static_cast<std::uint64_t>(length) == all));
}

/// Half a second, and twice as long each time; false where it was stopped meanwhile.
bool wait_for_try(int tries, std::uint64_t done, const DownloadReport& report) {
  for (auto left = 500ms * (1 << (tries - 1)); left > 0ms; left -= kReportEvery) {
    if (!report(done, 0)) return false;
    std::this_thread::sleep_for(kReportEvery);
  }
  return true;
}

}  // namespace

std::string shown_address(const std::string& address) {
  const std::size_t scheme = address.find("://"), host = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t at = address.rfind('@', std::min(address.find('/', host), address.size()));
  return at == std::string::npos || at < host ? address : address.substr(0, host) + "..." + address.substr(at);
}

std::string in_address(const std::string& name) {
  const std::unique_ptr<char, void (*)(void*)> encoded(
      curl_easy_escape(nullptr, name.data(), static_cast<int>(name.size())), curl_free);
  if (encoded == nullptr) throw Error(ErrorCode::failed, "no memory for the address of '" + excerpt(name) + "'");
  return encoded.get();
}

Downloaded download(const std::string& address, int file, const std::string& path, const ExpectedBytes& expected,
                    const DownloadReport& report) {
  int tries = 0;
  std::uint64_t furthest = size_of(file, path);
  while (true) {
    const std::uint64_t begun = size_of(file, path);
    if (::lseek(file, static_cast<off_t>(begun), SEEK_SET) < 0) fail_step(path, "going to its end", errno);
    Transfer transfer{file, path, begun, begun, expected.most, report};
    std::array<char, CURL_ERROR_SIZE> problem{};
    const Session session = new_session(address, transfer, problem);
    const CURLcode code = curl_easy_perform(session.get());
    if (transfer.problem != nullptr) std::rethrow_exception(transfer.problem);
    if (transfer.stopped) return {DownloadEnd::stopped};
    if (transfer.too_long)
      return {DownloadEnd::too_long, shown_address(address) + " sends more than the " + std::to_string(expected.most) +
                                         " bytes that are published"};
    long status = 0;
    curl_easy_getinfo(session.get(), CURLINFO_RESPONSE_CODE, &status);
    const bool no_beginning = begun > 0 && is_no_beginning(code, status);
    const bool cut_off =
        code == CURLE_OK && !no_beginning && is_cut_off(session.get(), status, transfer.done, expected.all);
    if (code == CURLE_OK && !no_beginning && !cut_off && (status == 200 || status == 206))
      return {DownloadEnd::complete};
    // The beginning is given up for the whole file alone.
    const bool anew = no_beginning && may_be_whole(session.get(), status, expected.all);
    if (anew) cut(file, path, 0);
    // Only what was not there before is worth another five tries: a server may break off, and send no ranges.
    if (transfer.done > furthest) {
      furthest = transfer.done;
      tries = 0;
    }
    const std::string reason =
        cut_off ? "ended after " + std::to_string(transfer.done) + " of " + std::to_string(expected.all) + " bytes"
        : no_beginning       ? "does not go on from byte " + std::to_string(begun)
        : code == CURLE_OK   ? "answered " + std::to_string(status) + " without the file"
        : problem[0] != '\0' ? problem.data()
                             : curl_easy_strerror(code);
    if ((!anew && !cut_off && !may_pass(code, status, transfer.done > 0)) || ++tries == kTries)
      return {DownloadEnd::unreachable, shown_address(address) + ": " + excerpt(reason, 300)};
    if (!anew && !wait_for_try(tries, transfer.done, report)) return {DownloadEnd::stopped};
  }
}

}  // namespace mixop
