// SPDX-License-Identifier: Apache-2.0
#include "bedplate/testing/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace bedplate::testing {
namespace {

using TimePoint = std::chrono::steady_clock::time_point;

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

const std::string* find_field(const HttpFields& fields, std::string_view name) {
  for (const auto& [key, value] : fields)
    if (same_name(key, name)) return &value;
  return nullptr;
}

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "bedplate test: %s: %s\n", what.c_str(), std::strerror(errno));
  std::abort();
}

// -1, with the errno that says why.
int close_failed(int fd) {
  const int why = errno;
  ::close(fd);
  errno = why;
  return -1;
}

int connect_tcp(const std::string& authority) {
  std::size_t colon = authority.rfind(':');
  std::string host = authority.substr(0, colon);
  auto port = static_cast<std::uint16_t>(std::atoi(authority.c_str() + colon + 1));
  sockaddr_storage storage{};
  socklen_t size;
  if (host.starts_with("[")) {
    auto* address = reinterpret_cast<sockaddr_in6*>(&storage);
    address->sin6_family = AF_INET6;
    address->sin6_port = htons(port);
    inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &address->sin6_addr);
    size = sizeof *address;
  } else {
    auto* address = reinterpret_cast<sockaddr_in*>(&storage);
    address->sin_family = AF_INET;
    address->sin_port = htons(port);
    inet_pton(AF_INET, host.c_str(), &address->sin_addr);
    size = sizeof *address;
  }
  int fd = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
  if (fd < 0) die("socket");
  if (::connect(fd, reinterpret_cast<sockaddr*>(&storage), size) != 0) return close_failed(fd);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

int connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return close_failed(fd);
  return fd;
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = static_cast<unsigned char>(text[i]);
    if (text[i] == '%' && i + 2 < text.size()) {
      std::from_chars(text.data() + i + 1, text.data() + i + 3, code, 16);
      i += 2;
    }
    decoded += static_cast<char>(code);
  }
  return decoded;
}

constexpr std::string_view kTcp = "http://", kUnix = "http+unix://";

int connect_url(const std::string& url) {
  if (url.starts_with(kUnix)) return connect_unix(percent_decoded(url.substr(kUnix.size())));
  return connect_tcp(url.substr(kTcp.size()));
}

bool parse_field(std::string_view line, HttpFields& fields) {
  std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  fields.emplace_back(line.substr(0, colon), value);
  return true;
}

}  // namespace

std::string HttpResponse::field(std::string_view name) const {
  const std::string* value = find_field(fields, name);
  return value ? *value : std::string();
}
bool HttpResponse::has_field(std::string_view name) const {
  return find_field(fields, name) != nullptr;
}

HttpConnection::HttpConnection(std::string url) : url_(std::move(url)) {
  if (!connect()) die("connect to " + url_);
}
HttpConnection::~HttpConnection() {
  close();
}

bool HttpConnection::can_connect(const std::string& url) {
  const int fd = connect_url(url);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

bool HttpConnection::connect() {
  host_ = url_.starts_with(kUnix) ? "localhost" : url_.substr(kTcp.size());
  fd_ = connect_url(url_);
  at_end_ = false;
  buffer_.clear();
  return fd_ >= 0;
}

void HttpConnection::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool HttpConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool HttpConnection::fill(TimePoint deadline) {
  for (;;) {
    if (at_end_ || fd_ < 0) return false;
    auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd wait{fd_, POLLIN, 0};
    if (left <= 0 || ::poll(&wait, 1, static_cast<int>(left)) == 0) return false;
    char bytes[65536];
    ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      at_end_ = true;
      return false;
    }
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }
}

bool HttpConnection::fill_until(std::string_view mark, std::size_t& at, TimePoint deadline) {
  while ((at = buffer_.find(mark)) == std::string::npos)
    if (!fill(deadline)) return false;
  return true;
}

bool HttpConnection::take_line(std::string& line, TimePoint deadline) {
  std::size_t end;
  if (!fill_until("\r\n", end, deadline)) return false;
  line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return true;
}

bool HttpConnection::take_chunked(HttpResponse& response, TimePoint deadline) {
  std::string line;
  for (;;) {
    if (!take_line(line, deadline)) return false;
    std::size_t size = 0;
    auto parsed = std::from_chars(line.data(), line.data() + line.size(), size, 16);
    if (parsed.ec != std::errc()) return false;
    if (size == 0) break;
    while (buffer_.size() < size + 2)
      if (!fill(deadline)) return false;
    response.body.append(buffer_, 0, size);
    buffer_.erase(0, size + 2);
  }
  while (take_line(line, deadline)) {
    if (line.empty()) return true;
    if (!parse_field(line, response.trailers)) return false;
  }
  return false;
}

HttpResponse HttpConnection::receive(bool head) {
  TimePoint deadline = std::chrono::steady_clock::now() + patience_;
  HttpResponse response;
  std::string line;
  if (!take_line(line, deadline) || line.size() < 12 || !line.starts_with("HTTP/1.")) {
    response.body = line + buffer_;
    return response;
  }
  int status = std::atoi(line.c_str() + 9);
  if (line.size() > 13) response.reason = line.substr(13);
  while (take_line(line, deadline) && !line.empty())
    if (!parse_field(line, response.fields)) return response;
  if (!line.empty()) return response;

  const std::string* length = find_field(response.fields, "Content-Length");
  const std::string* coding = find_field(response.fields, "Transfer-Encoding");
  bool whole = true;
  if (head || status < 200 || status == 204 || status == 304) {
  } else if (coding) {
    whole = take_chunked(response, deadline);
  } else if (length) {
    auto size = static_cast<std::size_t>(std::strtoull(length->c_str(), nullptr, 10));
    while (buffer_.size() < size && (whole = fill(deadline))) {
    }
    response.body = buffer_.substr(0, size);
    buffer_.erase(0, std::min(size, buffer_.size()));
  } else {
    while (fill(deadline)) {
    }
    response.body = std::exchange(buffer_, {});
  }
  response.status = whole ? status : 0;
  return response;
}

HttpResponse HttpConnection::request(std::string_view method, std::string_view target,
                                     const HttpFields& fields, std::string_view body) {
  std::string message = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\n";
  if (!find_field(fields, "Host")) message += "Host: " + host_ + "\r\n";
  for (const auto& [name, value] : fields) message += name + ": " + value + "\r\n";
  if (!body.empty() && !find_field(fields, "Content-Length") && !find_field(fields, "Transfer-Encoding"))
    message += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  message += "\r\n";
  message += body;
  pollfd readable{fd_, POLLIN, 0};
  bool stale =
      fd_ < 0 || (buffer_.empty() && ::poll(&readable, 1, 0) > 0);  // a closed connection is readable
  if (stale) {
    close();
    if (!connect()) return {};
  }
  send(message);
  return receive(method == "HEAD");
}

HttpResponse HttpConnection::post(std::string_view target, std::string_view json, HttpFields fields) {
  if (!find_field(fields, "Content-Type")) fields.emplace_back("Content-Type", "application/json");
  return request("POST", target, fields, json);
}

bool HttpConnection::closed_by_server() {
  TimePoint deadline = std::chrono::steady_clock::now() + patience_;
  return buffer_.empty() && !fill(deadline) && at_end_;
}

void HttpConnection::finish_sending() {
  ::shutdown(fd_, SHUT_WR);
}

void HttpConnection::abort() {
  linger reset{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  close();
}

}  // namespace bedplate::testing
