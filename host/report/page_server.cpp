#include "host/report/page_server.hpp"

#include <fcntl.h>

#include <chrono>
#include <csignal>
#include <utility>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "host/text/sha256.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::asio::ip::tcp;

constexpr std::chrono::seconds kLongest{10};  // of one request and its answer
constexpr std::uint32_t kLargestHeader = 8192;
constexpr int kMostConnections = 32;

using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;

struct Served {
  const Site& site;
  std::string authorities[2];  // what a Host header may be
  int connections = 0;
};

Response response_of(http::status status, const std::string& type, std::string body) {
  Response response{status, 11, std::move(body)};
  response.set(http::field::content_type, type + "; charset=utf-8");
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Cross-Origin-Resource-Policy", "same-origin");
  response.set("Content-Security-Policy", "frame-ancestors 'none'");
  response.keep_alive(false);
  return response;
}

Response refusal(http::status status, std::string body) { return response_of(status, "text/plain", std::move(body)); }

Response response_to(const Request& request, const Served& served) {
  const auto host = request[http::field::host];
  if (host != served.authorities[0] && host != served.authorities[1])
    return refusal(http::status::misdirected_request, "This server answers to " + served.authorities[0] + " alone.\n");
  if (request.method() != http::verb::get) {
    Response response = refusal(http::status::method_not_allowed, "Only GET is answered.\n");
    response.set(http::field::allow, "GET");
    return response;
  }
  const auto page = served.site.find(std::string(request.target()));
  if (page == served.site.end()) return refusal(http::status::not_found, "There is no such page.\n");
  try {
    Document document = page->second();
    const std::string tag = '"' + sha256_of_text(document.body) + '"';
    const bool known = request[http::field::if_none_match] == tag;
    Response response = response_of(known ? http::status::not_modified : http::status::ok, document.type,
                                    known ? "" : std::move(document.body));
    response.set(http::field::etag, tag);
    return response;
  } catch (const Error& error) {
    return refusal(http::status::service_unavailable, error.what());
  }
}

asio::awaitable<void> converse(tcp::socket socket, Served& served) {
  boost::beast::tcp_stream stream(std::move(socket));
  stream.expires_after(kLongest);
  try {
    boost::beast::flat_buffer buffer(kLargestHeader);
    http::request_parser<http::empty_body> parser;
    parser.header_limit(kLargestHeader);
    co_await http::async_read_header(stream, buffer, parser, asio::use_awaitable);
    Response response = response_to(parser.get(), served);
    response.prepare_payload();
    stream.expires_after(kLongest);
    co_await http::async_write(stream, response, asio::use_awaitable);
    stream.socket().shutdown(tcp::socket::shutdown_send);
  } catch (const boost::system::system_error&) {  // a client that went, was too slow or spoke no HTTP
  }
  --served.connections;
}

asio::awaitable<void> accept(tcp::acceptor& acceptor, Served& served) {
  for (;;) {
    tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
    ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
    if (served.connections == kMostConnections) continue;
    ++served.connections;
    asio::co_spawn(acceptor.get_executor(), converse(std::move(socket), served), asio::detached);
  }
}

tcp::acceptor listening(asio::io_context& context, std::uint16_t port) {
  try {
    tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), port});
    ::fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC);
    return acceptor;
  } catch (const boost::system::system_error& error) {
    throw Error(ErrorCode::failed, "port " + std::to_string(port) + " of 127.0.0.1: " + error.code().message() +
                                       "; name another by --port, or leave it out for one that is free");
  }
}

}  // namespace

int serve_pages(std::uint16_t port, const Site& site, const std::function<void(std::uint16_t)>& ready) {
  asio::io_context context(1);
  tcp::acceptor acceptor = listening(context, port);
  const std::uint16_t own = acceptor.local_endpoint().port();
  const std::string behind = own == 80 ? "" : ":" + std::to_string(own);
  Served served{site, {"127.0.0.1" + behind, "localhost" + behind}};
  int received = 0;
  asio::signal_set signals(context, SIGINT, SIGTERM, SIGHUP);
  signals.async_wait([&](const boost::system::error_code& problem, int signal) {
    if (problem) return;
    received = signal;
    context.stop();
  });
  asio::co_spawn(context, accept(acceptor, served), [](const std::exception_ptr& problem) {
    if (problem) std::rethrow_exception(problem);
  });
  ready(own);
  context.run();
  return received;
}

}  // namespace mixop
