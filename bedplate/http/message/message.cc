// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/message/message.h"

#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "bedplate/base/text.h"
#include "bedplate/http/address.h"
#include "bedplate/http/message/framing.h"
#include "bedplate/http/message/url.h"

namespace bedplate::http {
namespace {

constexpr Rejection kBadTargetCharacter = {
    400, "bad_target", "The request target holds a character that must be percent-encoded."};
constexpr Rejection kBadTargetForm = {400, "bad_target",
                                      "The request target is neither a path nor an http address."};
constexpr Rejection kBadTargetAuthority = {400, "bad_target", "The host of the request target is not valid."};
constexpr Rejection kBadEscape = {400, "bad_escape", "The path holds a bad percent escape."};
constexpr Rejection kEncodedSlash = {400, "encoded_slash", "The path holds an encoded slash."};
constexpr Rejection kBadUtf8 = {400, "bad_encoding", "The decoded path is not UTF-8."};
constexpr Rejection kNoTunnels = {501, "method_not_implemented", "The server makes no tunnels."};

const Rejection* rejection_of(TargetError error) {
  switch (error) {
    case TargetError::none:
      return nullptr;
    case TargetError::bad_character:
      return &kBadTargetCharacter;
    case TargetError::bad_form:
      return &kBadTargetForm;
    case TargetError::bad_authority:
      return &kBadTargetAuthority;
    case TargetError::bad_escape:
      return &kBadEscape;
    case TargetError::encoded_slash:
      return &kEncodedSlash;
    case TargetError::bad_utf8:
      return &kBadUtf8;
  }
  return &kBadTargetForm;
}

// What the server writes itself: a second copy would contradict it.
bool belongs_to_server(FieldId id) {
  return id == FieldId::content_length || id == FieldId::transfer_encoding || id == FieldId::connection ||
         id == FieldId::date || id == FieldId::keep_alive;
}

constexpr std::size_t kKeptBodyMax = 64 * 1024;
constexpr std::size_t kKeptLinesMax = 8 * 1024;

}  // namespace

// The bytes of a request that no connection holds, and the reader of its body.
struct Request::Own final : BodyReader {
  std::vector<std::unique_ptr<std::string>> texts;
  std::string_view body;
  Scope scope;

  std::string_view keep(std::string_view text) {
    return *texts.emplace_back(std::make_unique<std::string>(text));
  }
  Async<std::string_view> read() override { co_return std::exchange(body, std::string_view()); }
  Async<std::string_view> read_all(std::size_t size_max) override {
    if (body.size() > size_max)
      co_return fail(Category::too_large, "body_too_large", "The body is too large.");
    co_return body;
  }
};

Request::Request() = default;
Request::~Request() = default;

void Request::clear() {
  path_storage_.clear();
  content_length_ = 0;
  body_size_read_ = 0;
  whole_body_.reset();
  body_reader_ = nullptr;
  client_address_ = {};
  if (!joined_.empty()) joined_.clear();
}

const Rejection* Request::interpret_head(Framing& framing) {
  if (const Rejection* rejection = read_framing(head_, framing, known_host_)) return rejection;
  if (const std::string_view host = head_.value(FieldId::host); host != known_host_) known_host_ = host;
  method_ = parse_method(head_.method);
  Target target;
  const TargetError error = parse_target(head_.target, method_ == Method::connect, path_storage_, target);
  if (error != TargetError::none) return rejection_of(error);
  if (target.form == TargetForm::authority) return &kNoTunnels;
  if (target.form == TargetForm::asterisk && method_ != Method::options) return &kBadTargetForm;
  path_ = target.path;
  query_ = target.query;
  authority_ = target.form == TargetForm::absolute ? target.authority : head_.value(FieldId::host);
  if (framing.body == BodyKind::chunked)
    content_length_.reset();
  else
    content_length_ = framing.size;
  return nullptr;
}

std::optional<std::string_view> Request::field(std::string_view name) const {
  const FieldId id = field_id(name);
  if (id != FieldId::other) return has_field(id) ? std::optional(field(id)) : std::nullopt;
  for (const Field& candidate : head_.fields)
    if (equal_ignoring_case(candidate.name, name)) return candidate.value;
  return std::nullopt;
}

std::string_view Request::field_list(FieldId id) {
  if (!head_.is_repeated(id)) return field(id);
  auto joined = std::make_unique<std::string>();
  for (const Field& candidate : head_.fields) {
    if (candidate.id != id) continue;
    if (!joined->empty()) joined->append(", ");
    joined->append(candidate.value);
  }
  return *joined_.emplace_back(std::move(joined));
}

std::string_view Request::client_address() {
  if (!client_address_.empty()) return client_address_;
  client_address_ = peer_address_;
  if (trusted_proxies_ && !trusted_proxies_->empty())
    client_address_ = trusted_proxies_->client_of(peer_address_, field_list(trusted_proxies_->chain_field()));
  return client_address_;
}

namespace {

Result<void> check_body(const Request& request) {
  const std::string_view coding = request.field(FieldId::content_encoding);
  if (!coding.empty() && !equal_ignoring_case(coding, "identity"))
    return fail(Category::unsupported_media_type, "unsupported_content_encoding",
                "Send the body without Content-Encoding.");
  if (request.content_length().value_or(0) > request.body_size_max())
    return fail(Category::too_large, "body_too_large",
                "The body is larger than " + std::to_string(request.body_size_max()) + " bytes.");
  return {};
}

}  // namespace

Async<std::string_view> Request::body() {
  if (whole_body_) co_return *whole_body_;
  if (!body_reader_) co_return std::string_view();
  co_await ok(check_body(*this));
  whole_body_ = co_await ok(body_reader_->read_all(body_size_max_));
  co_return *whole_body_;
}

Async<std::string_view> Request::read_body() {
  if (!body_reader_) co_return std::string_view();
  if (body_size_read_ == 0) co_await ok(check_body(*this));
  const std::string_view piece = co_await ok(body_reader_->read());
  body_size_read_ += piece.size();
  if (body_size_read_ > body_size_max_)
    co_return fail(Category::too_large, "body_too_large",
                   "The body is larger than " + std::to_string(body_size_max_) + " bytes.");
  co_return piece;
}

Result<void> Request::assign(const Parts& parts) {
  clear();
  head_.clear();
  own_ = std::make_unique<Own>();
  head_.method = own_->keep(parts.method);
  head_.target = own_->keep(parts.target);
  if (!is_token(head_.method))
    return fail(Category::malformed, "bad_request_line", "The method is not a token.");
  for (const auto& [name, value] : parts.fields) {
    if (!is_token(name) || !is_field_value(value) || head_.fields.size() >= kHeaderCountMax)
      return fail(Category::malformed, "bad_header", "A header field is not valid.");
    head_.add({own_->keep(name), own_->keep(value), field_id(name)});
  }
  if (!head_.has(FieldId::host)) head_.add({"Host", "localhost", FieldId::host});
  Framing framing;
  if (const Rejection* rejection = interpret_head(framing))
    return fail(Category::malformed, rejection->code, std::string(rejection->detail));
  own_->body = own_->keep(parts.body);
  content_length_ = parts.body.size();
  if (!parts.body.empty()) body_reader_ = own_.get();
  peer_address_ = own_->keep(parts.peer_address);
  scope_ = &own_->scope;
  return {};
}

FieldBlock& FieldBlock::add(std::string_view name, std::string_view value) {
  if (!is_token(name) || !is_field_value(value)) {
    std::fprintf(stderr, "bedplate: a FieldBlock was given a header field that is not valid\n");
    std::abort();
  }
  lines_.append(name).append(": ").append(value).append("\r\n");
  return *this;
}

void Response::add_line(FieldId id, std::string_view name, std::string_view value) {
  if (belongs_to_server(id)) {
    assert(!"the server writes Content-Length, Transfer-Encoding, Connection and Date itself");
    return;
  }
  if (!is_field_value(value)) {
    broken_ = true;
    return;
  }
  char* const begin = lines_.need(name.size() + value.size() + 4);
  const auto offset = static_cast<std::uint32_t>(lines_.size());
  char* p = begin;
  std::memcpy(p, name.data(), name.size());
  p += name.size();
  *p++ = ':';
  *p++ = ' ';
  const auto value_offset = offset + static_cast<std::uint32_t>(p - begin);
  if (!value.empty()) std::memcpy(p, value.data(), value.size());
  p += value.size();
  const auto end_offset = offset + static_cast<std::uint32_t>(p - begin);
  *p++ = '\r';
  *p++ = '\n';
  lines_.advance_to(p);
  index_.push_back({id, offset, value_offset, end_offset});
}

void Response::remove_lines(FieldId id, std::string_view name) {
  for (std::size_t i = index_.size(); i-- > 0;) {
    const Line line = index_[i];
    const std::string_view line_name(lines_.data() + line.begin, line.value - 2 - line.begin);
    if (line.id != id || (id == FieldId::other && !equal_ignoring_case(line_name, name))) continue;
    const std::uint32_t size = line.end + 2 - line.begin;
    char* const from = lines_.data() + line.begin + size;
    std::memmove(lines_.data() + line.begin, from, lines_.size() - line.begin - size);
    lines_.truncate(lines_.size() - size);
    index_.erase(index_.begin() + static_cast<std::ptrdiff_t>(i));
    for (std::size_t later = i; later < index_.size(); ++later) {
      index_[later].begin -= size;
      index_[later].value -= size;
      index_[later].end -= size;
    }
  }
}

void Response::set_field(FieldId id, std::string_view value) {
  for (const Line& line : index_) {
    if (line.id != id) continue;
    remove_lines(id, {});
    break;
  }
  add_line(id, field_name(id), value);
}

void Response::set_field(std::string_view name, std::string_view value) {
  const FieldId id = field_id(name);
  if (id != FieldId::other) return set_field(id, value);
  remove_lines(FieldId::other, name);
  add_field(name, value);
}

void Response::add_field(FieldId id, std::string_view value) {
  add_line(id, field_name(id), value);
}

void Response::add_field(std::string_view name, std::string_view value) {
  const FieldId id = field_id(name);
  if (id != FieldId::other) return add_line(id, field_name(id), value);
  if (!is_token(name)) {
    broken_ = true;
    return;
  }
  add_line(id, name, value);
}

void Response::remove_field(FieldId id) {
  remove_lines(id, {});
}

std::string_view Response::field(FieldId id) const {
  for (const Line& line : index_)
    if (line.id == id) return {lines_.data() + line.value, line.end - line.value};
  return {};
}

void Response::set_body_source(std::unique_ptr<BodySource> source, std::optional<std::uint64_t> size) {
  body_source_ = std::move(source);
  body_source_size_ = size;
}

void Response::clear() {
  status_ = 200;
  compression_forbidden_ = close_ = broken_ = false;
  lines_.shrink_to(kKeptLinesMax);
  index_.clear();
  body_.shrink_to(kKeptBodyMax);
  static_body_ = {};
  if (body_source_) body_source_.reset();
  body_source_size_.reset();
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 203:
      return "Non-Authoritative Information";
    case 204:
      return "No Content";
    case 205:
      return "Reset Content";
    case 206:
      return "Partial Content";
    case 207:
      return "Multi-Status";
    case 300:
      return "Multiple Choices";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 407:
      return "Proxy Authentication Required";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 423:
      return "Locked";
    case 424:
      return "Failed Dependency";
    case 425:
      return "Too Early";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 451:
      return "Unavailable For Legal Reasons";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    case 511:
      return "Network Authentication Required";
    default:
      return "Unknown";
  }
}

}  // namespace bedplate::http
