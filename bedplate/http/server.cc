// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/server.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "bedplate/async/address.h"
#include "bedplate/async/loop_group.h"
#include "bedplate/base/log.h"
#include "bedplate/base/text.h"
#include "bedplate/http/connection.h"
#include "bedplate/http/message/url.h"
#include "bedplate/http/shard.h"

namespace bedplate::http {
namespace {

constexpr std::chrono::seconds kCutOffPatience{5};  // for handlers that were cancelled to come to their end

std::string url_of(const SocketAddress& address) {
  if (address.family() == SocketAddress::Family::local)
    return "http+unix://" + percent_encode(address.path());
  return "http://" + address.to_string();
}

bool is_host_allowed(std::string_view host, std::string_view allowed) {
  if (!allowed.starts_with("*.")) return equal_ignoring_case(host, allowed);
  const std::string_view suffix = allowed.substr(1);
  return host.size() > suffix.size() && equal_ignoring_case(host.substr(host.size() - suffix.size()), suffix);
}

}  // namespace

// ---- ServerCore

bool ServerCore::allows_host(std::string_view authority) const {
  const std::string_view host = host_of(authority);
  return std::ranges::any_of(settings.allowed_hosts,
                             [&](const auto& allowed) { return is_host_allowed(host, allowed); });
}

// ---- Shard

void Shard::on_connection(Stream stream) {
  accepted.add(1);
  Connection::start(*this, std::move(stream));
}

void Shard::add(Connection& connection) {
  connection.next_ = first_;
  if (first_) first_->previous_ = &connection;
  first_ = &connection;
  core.connections_open.fetch_add(1, std::memory_order_relaxed);
}

void Shard::remove(Connection& connection) {
  if (connection.previous_)
    connection.previous_->next_ = connection.next_;
  else
    first_ = connection.next_;
  if (connection.next_) connection.next_->previous_ = connection.previous_;
  const std::lock_guard lock(core.mutex);
  if (core.connections_open.fetch_sub(1, std::memory_order_relaxed) == 1) core.connection_closed.notify_all();
}

void Shard::drain() {
  for (auto& listener : listeners) listener->drain();
  listeners.clear();
  for (Connection* connection = first_; connection;) {
    Connection* const next = connection->next_;
    connection->drain();
    connection = next;
  }
}

void Shard::cut_off() {
  for (Connection* connection = first_; connection;) {
    Connection* const next = connection->next_;
    connection->cut_off();
    connection = next;
  }
}

// ---- Server

struct Server::Shared {
  Shared(LoopGroup& group, Handler& handler, ServerSettings settings, ProblemWriter* problems)
      : loops(group), core(handler, problems ? *problems : plain_problems, std::move(settings)) {}

  LoopGroup& loops;
  ProblemWriter plain_problems;
  ServerCore core;
  std::optional<Error> bad_settings;
  std::vector<std::unique_ptr<Shard>> shards;
  std::vector<ListenSockets> sockets;  // keep the files of Unix sockets
  std::vector<std::string> urls;
};

Server::Server(LoopGroup& loops, Handler& handler, ServerSettings settings, ProblemWriter* problems)
    : shared_(std::make_unique<Shared>(loops, handler, std::move(settings), problems)) {
  ServerCore& core = shared_->core;
  core.head_limits.request_line_size_max = core.settings.request_line_size_max;
  core.head_limits.header_size_max = core.settings.header_size_max;
  core.head_limits.header_count_max = std::min<std::size_t>(core.settings.header_count_max, kHeaderCountMax);
  core.coding_rules.enabled = core.settings.compression;
  core.coding_rules.size_min = core.settings.compression_size_min;
  Result<TrustedProxies> proxies =
      TrustedProxies::parse(core.settings.trusted_proxies, core.settings.forwarded_field);
  if (proxies)
    core.trusted_proxies = std::move(*proxies);
  else
    shared_->bad_settings.emplace(std::move(proxies.error()));
  for (std::size_t i = 0; i < loops.size(); ++i)
    shared_->shards.push_back(std::make_unique<Shard>(loops.loop(i), core));
}

Server::~Server() = default;

Result<void> Server::listen(std::string_view address) {
  Result<SocketAddress> parsed = SocketAddress::parse(address);
  if (!parsed) return std::unexpected(std::move(parsed.error()));
  Result<ListenSockets> sockets = bind_on(*parsed, shared_->loops.size(), ListenOptions());
  if (!sockets) return std::unexpected(std::move(sockets.error()));
  return listen(std::move(*sockets));
}

Result<void> Server::listen(ListenSockets sockets) {
  if (shared_->bad_settings) return std::unexpected(shared_->bad_settings->clone());
  if (Result<void> listening = sockets.listen(); !listening) return listening;
  ListenOptions options;
  options.connections_max =
      std::max<std::size_t>(1, shared_->core.settings.connections_max / shared_->loops.size());
  shared_->urls.push_back(url_of(sockets.address()));
  shared_->loops.for_each([&](Loop& loop, std::size_t i) {
    Shard& shard = *shared_->shards[i];
    const int fd = sockets.take();
    if (fd >= 0) shard.listeners.push_back(std::make_unique<Listener>(loop, fd, shard, options));
  });
  shared_->sockets.push_back(std::move(sockets));
  return {};
}

Result<void> Server::listen_all() {
  for (const std::string& address : shared_->core.settings.listen)
    if (Result<void> listening = listen(address); !listening) return listening;
  return {};
}

const std::vector<std::string>& Server::urls() const {
  return shared_->urls;
}

bool Server::drain(std::chrono::milliseconds timeout) {
  ServerCore& core = shared_->core;
  core.draining.store(true, std::memory_order_relaxed);
  shared_->loops.for_each([&](Loop&, std::size_t i) { shared_->shards[i]->drain(); });
  const auto none_open = [&] { return core.connections_open.load(std::memory_order_relaxed) == 0; };
  std::unique_lock lock(core.mutex);
  if (core.connection_closed.wait_for(lock, timeout, none_open)) return true;
  log_warn(
      "connections were cut off at the end of draining",
      {{"connections", static_cast<std::int64_t>(core.connections_open.load(std::memory_order_relaxed))}});
  lock.unlock();
  shared_->loops.for_each([&](Loop&, std::size_t i) { shared_->shards[i]->cut_off(); });
  lock.lock();
  if (!core.connection_closed.wait_for(lock, kCutOffPatience, none_open))
    log_error("handlers did not end although they were cancelled", {});
  return false;
}

ServerStats Server::stats() const {
  ServerStats stats;
  stats.connections_open = shared_->core.connections_open.load(std::memory_order_relaxed);
  for (const auto& shard : shared_->shards) {
    stats.connections_accepted += shard->accepted.get();
    stats.requests += shard->requests.get();
    stats.requests_running += shard->requests.get() - shard->requests_ended.get();
    stats.bad_requests += shard->bad_requests.get();
    stats.bytes_in += shard->bytes_in.get();
    stats.bytes_out += shard->bytes_out.get();
  }
  return stats;
}

const ServerSettings& Server::settings() const {
  return shared_->core.settings;
}

}  // namespace bedplate::http
