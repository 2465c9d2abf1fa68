// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "bedplate/async/timer.h"
#include "bedplate/base/text.h"
#include "bedplate/http/message/chunked.h"
#include "bedplate/http/message/etag.h"
#include "bedplate/http/message/url.h"
#include "tests/kits/http_server_kit.h"
#include "tests/kits/patience_kit.h"

namespace bedplate::http {
namespace {

using namespace std::chrono_literals;

constexpr int kPatienceMs = std::chrono::milliseconds(testing::kPatience).count();

std::uint64_t number_in(std::string_view query) {
  std::string scratch;
  QueryReader reader(query, scratch);
  while (reader.next())
    if (reader.name() == "n") return parse_uint(reader.value()).value_or(0);
  return 0;
}

class Parts final : public BodySource {
 public:
  explicit Parts(std::uint64_t count) : count_(count) {}
  Async<std::string_view> next() override {
    if (at_ == count_) co_return std::string_view();
    if (at_ % 2 == 1) co_await ok(sleep_for(1ms));
    text_ = "part " + std::to_string(at_++) + "\n";
    co_return std::string_view(text_);
  }

 private:
  std::uint64_t count_;
  std::uint64_t at_ = 0;
  std::string text_;
};

class EchoSource final : public BodySource {
 public:
  explicit EchoSource(Request& request) : request_(request) {}
  Async<std::string_view> next() override { return request_.read_body(); }

 private:
  Request& request_;
};

std::string make_json(std::uint64_t size) {
  std::string json = "[";
  while (json.size() < size)
    json += R"({"id":)" + std::to_string(json.size()) + R"(,"title":"A task like the others"},)";
  json.back() = ']';
  return json;
}

}  // namespace

Async<void> TestHandler::wait(Request& request, Response& response) {
  ++waiting;
  Result<void> waited = co_await sleep_for(60s);
  if (!waited) {
    const Category category = waited.error().category();
    ++(category == Category::timeout ? timed_out : cancelled);
    co_await ok(std::move(waited));
  }
  response.body().append(request.path());
}

Async<void> TestHandler::count(Request& request, Response& response) {
  std::size_t size = 0;
  for (;;) {
    std::string_view piece = co_await ok(request.read_body());
    if (piece.empty()) break;
    size += piece.size();
  }
  response.body().append(std::to_string(size));
}

Async<void> TestHandler::handle(Request& request, Response& response) {
  response.set_field(FieldId::content_type, "text/plain");
  const std::string_view path = request.path();
  if (path == "/hello") {
    response.body().append("Hello");
  } else if (path == "/echo") {
    std::string_view body = co_await ok(request.body());
    response.body().append(body);
  } else if (path == "/echo-stream") {
    response.set_body_source(std::make_unique<EchoSource>(request));
  } else if (path == "/ignore") {
    response.body().append("ignored");
  } else if (path == "/length") {
    request.set_body_size_max(std::size_t{1} << 30);
    co_await ok(count(request, response));
  } else if (path == "/big") {
    response.body().append(std::string(number_in(request.query()), 'x'));
  } else if (path == "/stream") {
    response.set_body_source(std::make_unique<Parts>(number_in(request.query())));
  } else if (path == "/json") {
    response.set_field(FieldId::content_type, "application/json");
    response.set_field(FieldId::etag, make_etag(7));
    if (if_none_match(request.field_list(FieldId::if_none_match), make_etag(7)))
      response.set_status(304);
    else
      response.body().append(make_json(number_in(request.query())));
  } else if (path == "/static") {
    response.set_static_body("static bytes");
  } else if (path == "/wait") {
    co_await ok(wait(request, response));
  } else if (path == "/fail") {
    co_await fail(Category::conflict, "taken", "It is taken.");
  } else if (path == "/inject") {
    response.set_field("X-Injected", "a\r\nSet-Cookie: evil=1");
  } else if (path == "/no-content") {
    response.set_status(204);
    response.body().append("must not be sent");
  } else if (path == "/client") {
    response.body().append(request.client_address());
  } else {
    response.set_status(404);
    response.body().append(path);
  }
}

TestServer::TestServer(ServerSettings settings, std::size_t loops, std::string_view address) : loops_(loops) {
  const ServerSettings usual;
  for (std::uint32_t ServerSettings::* limit :
       {&ServerSettings::header_timeout_ms, &ServerSettings::body_timeout_ms,
        &ServerSettings::linger_timeout_ms})
    if (settings.*limit == usual.*limit) settings.*limit = kPatienceMs;
  server_ = std::make_unique<Server>(loops_, handler_, std::move(settings));
  loops_.start();
  Result<void> listening = server_->listen(address);
  if (!listening) {
    ADD_FAILURE() << listening.error().detail();
    return;
  }
  const std::string& url = server_->urls().back();
  port_ = std::atoi(url.c_str() + url.rfind(':') + 1);
}

bool TestServer::drain(std::chrono::milliseconds timeout) {
  drained_ = true;
  return server_->drain(timeout);
}

TestServer::~TestServer() {
  if (!drained_) server_->drain(0ms);
  loops_.stop();
  loops_.join();
}

std::string Answer::field(std::string_view name) const {
  std::string_view rest = head;
  while (!rest.empty()) {
    const std::size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        equal_ignoring_case(line.substr(0, name.size()), name))
      return std::string(trim(line.substr(name.size() + 1)));
  }
  return "";
}

RawClient::RawClient(int port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << std::strerror(errno);
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

RawClient::RawClient(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << std::strerror(errno);
}

RawClient::~RawClient() {
  if (fd_ >= 0) ::close(fd_);
}

RawClient& RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    failed_to_send_ = size <= 0;
    if (failed_to_send_) break;  // the server closed: what it said before is still to be read
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return *this;
}

void RawClient::shutdown_write() {
  ::shutdown(fd_, SHUT_WR);
}

void RawClient::reset() {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(std::exchange(fd_, -1));
}

bool RawClient::fill() {
  pollfd poll{fd_, POLLIN, 0};
  if (::poll(&poll, 1, kPatienceMs) <= 0) {
    ADD_FAILURE() << "the server said nothing for a minute; so far: " << in_;
    return false;
  }
  char buffer[16384];
  const ssize_t size = ::recv(fd_, buffer, sizeof buffer, 0);
  if (size <= 0) return false;
  in_.append(buffer, static_cast<std::size_t>(size));
  return true;
}

bool RawClient::hears_within(std::chrono::milliseconds time) const {
  pollfd poll{fd_, POLLIN, 0};
  return ::poll(&poll, 1, static_cast<int>(time.count())) > 0;
}

std::string RawClient::read_to_end() {
  while (fill()) {
  }
  return std::exchange(in_, {});
}

std::string RawClient::read_some(std::size_t count) {
  while (in_.size() < count && fill()) {
  }
  return std::exchange(in_, {});
}

bool RawClient::closed_by_server() {
  return in_.empty() && !fill();
}

Answer RawClient::read_answer(bool head_only) {
  Answer answer;
  std::size_t end;
  while ((end = in_.find("\r\n\r\n")) == std::string::npos)
    if (!fill()) return answer;
  answer.head = in_.substr(0, end + 4);
  in_.erase(0, end + 4);
  answer.status = status_of(answer.head);
  if (head_only || answer.status < 200 || answer.status == 204 || answer.status == 304) {
    answer.whole = true;
    return answer;
  }
  if (equal_ignoring_case(answer.field("Transfer-Encoding"), "chunked")) {
    ChunkedDecoder decoder;
    for (;;) {
      std::string_view rest = in_;
      while (!rest.empty() && !decoder.done() && !decoder.failed()) answer.body += decoder.next(rest);
      in_.erase(0, in_.size() - rest.size());
      answer.whole = decoder.done();
      if (decoder.done() || decoder.failed() || !fill()) return answer;
    }
  }
  const std::uint64_t length = parse_uint(answer.field("Content-Length")).value_or(0);
  while (in_.size() < length)
    if (!fill()) return answer;
  answer.body = in_.substr(0, length);
  in_.erase(0, length);
  answer.whole = true;
  return answer;
}

std::string exchange(int port, std::string_view request) {
  RawClient client(port);
  client.send(request);
  return client.read_to_end();
}

int status_of(std::string_view answer) {
  if (!answer.starts_with("HTTP/1.1 ") || answer.size() < 12) return 0;
  return std::atoi(std::string(answer.substr(9, 3)).c_str());
}

std::size_t count_answers(std::string_view bytes) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = bytes.find("HTTP/1.1 ", at)) != std::string_view::npos; ++at) ++count;
  return count;
}

}  // namespace bedplate::http
