// SPDX-License-Identifier: Apache-2.0
#include "bedplate/redis/session.h"

#include <netdb.h>

#include <algorithm>

#include "bedplate/base/random.h"
#include "bedplate/redis/command.h"

namespace bedplate::redis {
namespace {

constexpr std::size_t kReadSize = 16 << 10;

std::unexpected<Error> unavailable(std::string_view why) {
  return fail(Category::unavailable, "cache_unavailable", "The cache cannot be reached: " + std::string(why));
}

// Blocks. On a worker.
Result<SocketAddress> look_up(const Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(endpoint.host.c_str(), nullptr, &hints, &found);
  if (status != 0) return unavailable(std::string(gai_strerror(status)) + ".");
  SocketAddress address = SocketAddress::from_system(found->ai_addr, found->ai_addrlen);
  ::freeaddrinfo(found);
  address.set_port(endpoint.port);
  return address;
}

}  // namespace

Result<std::shared_ptr<Dialer>> Dialer::make(Options options) {
  std::shared_ptr<Dialer> dialer(new Dialer(std::move(options)));
  if (!dialer->options_.tls) return dialer;
  auto tls = TlsContext::for_clients(dialer->options_.tls_options);
  if (!tls) return std::unexpected(std::move(tls.error()));
  dialer->tls_.emplace(std::move(*tls));
  return dialer;
}

Async<SocketAddress> Dialer::find(Endpoint endpoint) {
  Result<SocketAddress> literal = SocketAddress::parse(
      endpoint.socket_path.empty() ? endpoint.to_string() : "unix:" + endpoint.socket_path);
  if (literal) co_return std::move(*literal);
  auto job = [&] { return look_up(endpoint); };
  co_return co_await lookups_.run(job);
}

std::chrono::nanoseconds Dialer::backoff(int failures) const {
  const int doublings = std::clamp(failures - 1, 0, 16);
  const std::chrono::nanoseconds longest = options_.backoff_max;
  const std::chrono::nanoseconds wait =
      std::min<std::chrono::nanoseconds>(options_.backoff_min * (1 << doublings), longest);
  return wait / 2 + wait / 2 * static_cast<std::int64_t>(random_u64() % 1024) / 1024;
}

Endpoint Dialer::endpoint_after(std::uint32_t failures) const {
  std::lock_guard lock(mutex_);
  const std::size_t turn = failures % (met_.size() + 1);
  return turn == 0 ? options_.endpoint : met_[turn - 1];
}

void Dialer::met(std::vector<Endpoint> nodes) {
  std::lock_guard lock(mutex_);
  met_ = std::move(nodes);
}

Async<void> Session::open(Endpoint endpoint) {
  Result<void> opened = co_await connect(std::move(endpoint));
  if (opened) opened = co_await log_in();
  if (opened) co_return;
  close();
  Error& why = opened.error();
  const bool ours = why.code() == "cache_refused" || why.code() == "cache_unavailable";
  if (ours || why.category() == Category::cancelled) co_await std::unexpected(std::move(why));
  co_await unavailable(why.detail());
}

Async<void> Session::connect(Endpoint endpoint) {
  const Options& options = dialer_->options();
  SocketAddress address = co_await ok(dialer_->find(endpoint));
  const ConnectOptions connecting(options.connect_timeout);
  plain_ = co_await ok(bedplate::connect(address, connecting));
  plain_.set_deadline(options.connect_timeout);
  if (dialer_->tls() == nullptr) co_return;
  encrypted_.emplace(std::move(plain_), *dialer_->tls());
  co_await ok(encrypted_->connect(endpoint.host));
}

Async<void> Session::log_in() {
  const Options& options = dialer_->options();
  const std::string user = options.user.empty() ? "default" : options.user;
  const bool secret = !options.password.empty();
  std::string bytes(secret ? Command("HELLO", 3, "AUTH", user, options.password, "SETNAME", "bedplate").wire()
                           : Command("HELLO", 3, "SETNAME", "bedplate").wire());
  if (options.database != 0) bytes += Command("SELECT", options.database).wire();
  co_await ok(write(bytes));
  Reply hello = co_await ok(next_reply());
  // The server's own words: they hold neither user nor password.
  if (hello.is_error())
    co_await fail(Category::unavailable, "cache_refused", "Redis refused the login: " + hello.text);
  const Reply* mode = hello.find("mode");
  cluster_ = mode != nullptr && mode->text == "cluster";
  if (options.database != 0) {
    Reply selected = co_await ok(next_reply());
    if (selected.is_error())
      co_await fail(Category::unavailable, "cache_refused",
                    "Redis refused the database number: " + selected.text);
  }
  if (encrypted_)
    encrypted_->clear_deadline();
  else
    plain_.clear_deadline();
}

Async<Reply> Session::next_reply() {
  for (;;) {
    std::optional<Reply> reply = co_await ok(parser_.next());
    if (reply) co_return std::move(*reply);
    co_await ok(read());
  }
}

Async<void> Session::write(std::string_view bytes) {
  if (encrypted_)
    co_await ok(encrypted_->write_all(bytes));
  else
    co_await ok(plain_.write_all(bytes));
}

Async<void> Session::read() {
  std::span<char> room = parser_.room(kReadSize);
  std::size_t size = 0;
  if (encrypted_)
    size = co_await ok(encrypted_->read(room));
  else
    size = co_await ok(plain_.read(room));
  if (size == 0) co_await fail(Category::cancelled, "connection_closed", "The connection was closed.");
  parser_.received(size);
}

void Session::close() {
  if (encrypted_)
    encrypted_->close();
  else
    plain_.close();
}

}  // namespace bedplate::redis
