// SPDX-License-Identifier: Apache-2.0
#include "bedplate/outbound/exchange.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "bedplate/base/text.h"
#include "bedplate/http/message/field.h"
#include "bedplate/outbound/public_address.h"

namespace bedplate::outbound::detail {
namespace {

constexpr std::string_view kOwnFields[] = {"host",
                                           "content-length",
                                           "transfer-encoding",
                                           "connection",
                                           "expect",
                                           "upgrade",
                                           "te",
                                           "trailer",
                                           "keep-alive",
                                           "http2-settings",
                                           "proxy-authorization",
                                           "proxy-connection"};
constexpr std::string_view kRepeatable[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};

std::unexpected<Error> refused(std::string detail) {
  return fail(Category::invalid, "address_refused", std::move(detail));
}

Error timed_out(std::string_view code, std::string detail) {
  return Error(Category::timeout, code, std::move(detail));
}
Error unavailable(std::string_view code, std::string detail) {
  return Error(Category::unavailable, code, std::move(detail));
}

std::optional<Error> error_of(Failure failure, const std::string& who) {
  switch (failure) {
    case Failure::none:
      return std::nullopt;
    case Failure::deadline:
      return timed_out("deadline_exceeded", who + " took longer than the request may.");
    case Failure::first_byte:
      return timed_out("response_timeout", who + " did not begin to answer in time.");
    case Failure::idle:
      return timed_out("response_timeout", who + " stopped in the middle of its answer.");
    case Failure::body_too_large:
      return unavailable("response_too_large", "The answer of " + who + " is larger than this client takes.");
    case Failure::head_too_large:
      return unavailable("response_too_large", "The header of " + who + " is larger than this client takes.");
    case Failure::bad_head:
      return unavailable("bad_response", "The answer of " + who + " is not HTTP.");
    case Failure::address_refused:
      return Error(Category::invalid, "address_refused",
                   "The host of " + who + " has an address that is not public.");
  }
  return std::nullopt;
}

Error error_of(CURLcode code, bool connected, const std::string& who) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
      return unavailable("connect_failed", who + " cannot be reached.");
    case CURLE_OPERATION_TIMEDOUT:
      if (!connected) return timed_out("connect_timeout", who + " did not accept a connection in time.");
      return timed_out("response_timeout", who + " is slower than it may be.");
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_USE_SSL_FAILED:
      return unavailable("tls_failed", "A trusted TLS connection to " + who + " cannot be made.");
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WRITE_ERROR:
      return unavailable("bad_response", "The answer of " + who + " is not HTTP.");
    default:
      if (!connected) return unavailable("connect_failed", who + " cannot be reached.");
      return unavailable("connection_closed", "The connection to " + who + " was lost.");
  }
}

}  // namespace

Result<void> check(const Request& request) {
  if (!http::is_token(request.method))
    return fail(Category::invalid, "bad_request", "The method is not a token.");
  for (const http::ResponseField& field : request.fields) {
    if (!http::is_token(field.name) || !http::is_field_value(field.value))
      return fail(Category::invalid, "bad_request", "A header field is not valid.");
    if (std::ranges::find(kOwnFields, to_lower(field.name)) != std::end(kOwnFields))
      return fail(Category::invalid, "bad_request", "The field " + field.name + " is the client's own.");
  }
  return {};
}

bool may_be_repeated(const Request& request) {
  if (request.source) return false;
  if (std::ranges::find(kRepeatable, request.method) != std::end(kRepeatable)) return true;
  return std::ranges::any_of(request.fields, [](const http::ResponseField& field) {
    return equal_ignoring_case(field.name, "idempotency-key");
  });
}

bool (*judge_of(const Guard& guard))(const SocketAddress&) {
  if (guard.private_addresses) return nullptr;
  return guard.judge ? guard.judge : static_cast<bool (*)(const SocketAddress&)>(&is_public);
}

Result<void> judge(const Guard& guard, const Url& url) {
  if (!url.https && !guard.plain_http) return refused("The URL does not begin with https://.");
  if (!guard.any_port && url.port != 80 && url.port != 443)
    return refused("Only the ports 80 and 443 are allowed.");
  if (!url.is_address) return {};
  const bool six = url.host.find(':') != url.host.npos;
  const Result<SocketAddress> address =
      SocketAddress::parse((six ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port));
  if (!address) return refused("The address in the URL is not public.");
  return judge(guard, url, {*address});
}

Result<void> judge(const Guard& guard, const Url& url, const std::vector<SocketAddress>& found) {
  const auto judge = judge_of(guard);
  if (judge && (found.empty() || !std::ranges::all_of(found, judge)))
    return refused("The host " + url.host + " has an address that is not public.");
  return {};
}

void Exchange::pin(const std::string& host, std::uint16_t port, const std::vector<SocketAddress>& found) {
  std::string line = "+" + host + ":" + std::to_string(port) + ":";  // "+": forgotten after a while
  for (const SocketAddress& address : found) {
    if (&address != &found.front()) line += ",";
    line += address.family() == SocketAddress::Family::ipv6 ? "[" + address.host() + "]" : address.host();
  }
  addresses.reset(curl_slist_append(nullptr, line.c_str()));
  set(transfer->easy(), CURLOPT_RESOLVE, addresses.get());
}

void set_options(Transfer& transfer, const Call& call, const Settings& settings) {
  CURL* const easy = transfer.easy();
  const Request& request = call.request;
  set(easy, CURLOPT_URL, call.url.to_string().c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_PATH_AS_IS, 1L);
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(easy, CURLOPT_USERAGENT, settings.user_agent.c_str());
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings.connect_timeout_ms));
  set(easy, CURLOPT_MAXAGE_CONN, static_cast<long>(settings.connection_idle_s));
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  if (settings.rate_min_bytes > 0 && settings.idle_timeout_ms > 0) {
    set(easy, CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(settings.rate_min_bytes));
    set(easy, CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(settings.idle_timeout_ms / 1000)));
  }
  if (!settings.ca_file.empty()) {
    set(easy, CURLOPT_CAINFO, settings.ca_file.c_str());
    set(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  if (request.compressed && call.whole) set(easy, CURLOPT_ACCEPT_ENCODING, "gzip, br");

  if (request.method == "HEAD") set(easy, CURLOPT_NOBODY, 1L);
  const bool expects_body = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (request.source) {
    const std::optional<std::uint64_t> size = request.source->size();
    transfer.stream_body(size ? static_cast<std::int64_t>(*size) : -1);
  } else if (expects_body || !request.body.empty()) {
    transfer.send_body(request.body, call.repeatable);
  }
  // libcurl sends a request without a body a second time when a kept connection turns out to be closed.
  if (!call.repeatable && !request.source && request.body.empty()) set(easy, CURLOPT_FRESH_CONNECT, 1L);
  if (request.method != "HEAD") set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  for (const http::ResponseField& field : request.fields)
    transfer.add_header(field.value.empty() ? field.name + ";" : field.name + ": " + field.value);
  transfer.add_header("Expect:");  // no wait for 100 Continue
}

std::optional<Error> error_of(const Transfer& transfer, const Url& url) {
  if (transfer.code() == CURLE_OK) return std::nullopt;
  const std::string who = url.authority();
  std::optional<Error> error = error_of(transfer.failure(), who);
  if (!error) error.emplace(error_of(transfer.code(), transfer.connected(), who));
  return std::move(*error).with_subject(std::string(transfer.message()));
}

Outcome outcome_of(const Error& error) {
  if (error.category() == Category::invalid) return Outcome::refused;
  if (error.category() == Category::timeout) return Outcome::timeout;
  if (error.category() == Category::cancelled) return Outcome::cancelled;
  if (error.code() == "resolve_failed") return Outcome::resolve_failed;
  if (error.code() == "connect_failed" || error.code() == "tls_failed") return Outcome::connect_failed;
  if (error.code() == "outbound_busy") return Outcome::busy;
  return Outcome::failed;
}

Outcome outcome_of(int status) {
  if (status < 300) return Outcome::status_2xx;
  if (status < 400) return Outcome::status_3xx;
  return status < 500 ? Outcome::status_4xx : Outcome::status_5xx;
}

}  // namespace bedplate::outbound::detail
