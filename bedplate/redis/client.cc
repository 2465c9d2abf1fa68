// SPDX-License-Identifier: Apache-2.0
#include "bedplate/redis/client.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <thread>

#include "bedplate/base/log.h"

namespace bedplate::redis {
namespace {

using std::chrono::milliseconds;

constexpr int kHopsMax = 5;
constexpr int kSlots = 16384;
constexpr milliseconds kTryAgainAfter{10};
constexpr milliseconds kRefreshEvery{500};
constexpr std::string_view kAsking = "*1\r\n$6\r\nASKING\r\n";

/// "MOVED 3999 127.0.0.1:6381", "ASK ...".
struct Redirection {
  int slot = 0;
  Endpoint endpoint;
};

std::optional<Redirection> parse_redirection(std::string_view text, const Endpoint& from) {
  Redirection to;
  text.remove_prefix(text.find(' ') + 1);
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to.slot);
  if (error != std::errc() || to.slot < 0 || to.slot >= kSlots) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  const std::size_t colon = text.rfind(':');
  if (!text.starts_with(' ') || colon == std::string_view::npos) return std::nullopt;
  const std::string_view port = text.substr(colon + 1);
  to.endpoint.host = text.substr(1, colon - 1);
  if (to.endpoint.host.empty()) to.endpoint.host = from.host;  // "the one that you have asked"
  auto [port_end, port_error] = std::from_chars(port.data(), port.data() + port.size(), to.endpoint.port);
  if (port_error != std::errc() || to.endpoint.port == 0) return std::nullopt;
  return to;
}

bool is_passing(const Reply& reply) {
  for (std::string_view code : {"LOADING", "BUSY", "CLUSTERDOWN", "TRYAGAIN", "MASTERDOWN", "READONLY", "OOM",
                                "MISCONF", "NOREPLICAS", "UNKILLABLE"})
    if (reply.is_error(code)) return true;
  return false;
}

Error error_of(const Reply& reply) {
  if (is_passing(reply))
    return Error(Category::unavailable, "cache_unavailable", "The cache cannot do that now.")
        .with_subject(reply.text)
        .with_retry_after(std::chrono::seconds(1));
  if (reply.is_error("NOPERM") || reply.is_error("NOAUTH"))
    return Error(Category::unavailable, "cache_refused", "The cache does not let us do that.")
        .with_subject(reply.text);
  return Error(Category::internal, "cache_error", "The cache could not do that.").with_subject(reply.text);
}

}  // namespace

/// The connections of one loop, and what it knows of a Cluster's slots. On the loop's thread.
class Client::Nodes : public std::enable_shared_from_this<Client::Nodes> {
 public:
  Nodes(Loop& loop, std::shared_ptr<Dialer> dialer, std::shared_ptr<ConnectionCounters> counters)
      : loop_(loop), dialer_(std::move(dialer)), counters_(std::move(counters)) {}

  /// Never null before close().
  std::shared_ptr<Connection> route(const Command& command) {
    if (slots_.empty()) return any_node();
    const int slot = command.slot();  // looks at the whole key: only a Cluster wants that
    std::shared_ptr<Connection>& holder = slots_[static_cast<std::size_t>(std::max(slot, 0))];
    if (!holder) return any_node();
    if (holder->state() == Connection::State::away) {
      refresh_soon();
      if (slot < 0) return any_node();  // who answers does not matter
    }
    return holder;
  }

  std::shared_ptr<Connection> node(const Endpoint& endpoint) {
    std::shared_ptr<Connection>& connection = nodes_[endpoint];
    if (!connection) {
      connection = Connection::start(loop_, dialer_, endpoint, counters_);
      if (closed_) connection->close();
    }
    return connection;
  }

  void moved(const Redirection& to) {
    if (slots_.empty()) slots_.resize(kSlots);
    slots_[static_cast<std::size_t>(to.slot)] = node(to.endpoint);
    refresh_soon();
  }

  void close() {
    closed_ = true;
    for (auto& [endpoint, connection] : nodes_) connection->close();
    slots_.clear();
    nodes_.clear();
  }

 private:
  // Of the settings; while that is away one of the others that were met here or on another loop. A node of a Cluster is
  // asked for the map of slots before it is away: afterwards nobody could say who else there is.
  std::shared_ptr<Connection> any_node() {
    std::shared_ptr<Connection> first = node(dialer_->options().endpoint);
    if (first->is_cluster() && slots_.empty()) refresh_soon();
    if (first->state() != Connection::State::away) return first;
    refresh_soon();
    for (auto& [endpoint, connection] : nodes_)
      if (connection->state() == Connection::State::ready) return connection;
    return node(dialer_->endpoint_after(++turn_));
  }

  void refresh_soon() {
    const Loop::TimePoint now = loop_.now();
    if (refreshing_ || closed_ || now - refreshed_at_ < kRefreshEvery) return;
    refreshing_ = true;
    refreshed_at_ = now;
    refresh(shared_from_this()).detach(nullptr);
  }

  // Asks the nodes that are there one after the other, until one knows.
  static Async<void> refresh(std::shared_ptr<Nodes> self) {
    std::vector<std::shared_ptr<Connection>> known;
    for (auto& [endpoint, connection] : self->nodes_)
      if (connection->state() == Connection::State::ready) known.push_back(connection);
    const Command command("CLUSTER", "SLOTS");
    for (const std::shared_ptr<Connection>& connection : known) {
      PipelineOp op(*connection, command.wire());
      Result<Reply> reply = co_await op;
      if (!reply || reply->kind != Reply::Kind::array || reply->items.empty() || self->closed_) continue;
      self->take_slots(*reply, connection->endpoint());
      break;
    }
    self->refreshing_ = false;
  }

  // [[first, last, [host, port, ...], replicas...], ...]
  void take_slots(const Reply& reply, const Endpoint& from) {
    std::vector<std::shared_ptr<Connection>> slots(kSlots);
    std::vector<Endpoint> holders;
    for (const Reply& range : reply.items) {
      if (range.items.size() < 3 || range.items[2].items.size() < 2) continue;
      Endpoint holder;
      holder.host = range.items[2].items[0].text.empty() ? from.host : range.items[2].items[0].text;
      holder.port = static_cast<std::uint16_t>(range.items[2].items[1].integer);
      const std::int64_t last = std::min<std::int64_t>(range.items[1].integer, kSlots - 1);
      for (std::int64_t slot = std::max<std::int64_t>(range.items[0].integer, 0); slot <= last; ++slot)
        slots[static_cast<std::size_t>(slot)] = node(holder);
      if (std::ranges::find(holders, holder) == holders.end()) holders.push_back(std::move(holder));
    }
    dialer_->met(std::move(holders));
    slots_ = std::move(slots);
    drop_strangers();
  }

  // Nodes that hold no slot any more. The first one stays: it is what the settings name.
  void drop_strangers() {
    for (auto it = nodes_.begin(); it != nodes_.end();) {
      const bool used = std::ranges::find(slots_, it->second) != slots_.end();
      if (used || it->first == dialer_->options().endpoint) {
        ++it;
        continue;
      }
      it->second->close();
      it = nodes_.erase(it);
    }
  }

  Loop& loop_;
  const std::shared_ptr<Dialer> dialer_;
  const std::shared_ptr<ConnectionCounters> counters_;
  std::map<Endpoint, std::shared_ptr<Connection>> nodes_;
  std::vector<std::shared_ptr<Connection>> slots_;  ///< empty: no Cluster, as far as is known
  Loop::TimePoint refreshed_at_{};
  std::uint32_t turn_ = 0;  ///< comes round when a server has been away for years
  bool refreshing_ = false;
  bool closed_ = false;
};

Result<std::unique_ptr<Client>> Client::make(Options options) {
  auto dialer = Dialer::make(std::move(options));
  if (!dialer) return std::unexpected(std::move(dialer.error()));
  return std::unique_ptr<Client>(new Client(std::move(*dialer)));
}

Client::Client(std::shared_ptr<Dialer> dialer) : dialer_(std::move(dialer)) {}

Client::~Client() {
  close();
}

std::shared_ptr<Client::Nodes> Client::nodes_here() {
  Loop* loop = Loop::current();
  std::lock_guard lock(mutex_);
  std::shared_ptr<Nodes>& nodes = nodes_[loop];
  if (!nodes) {
    nodes = std::make_shared<Nodes>(*loop, dialer_, counters_);
    if (closed_) nodes->close();
  }
  return nodes;
}

Async<Reply> Client::call(Command command) {
  const std::shared_ptr<Nodes> nodes = nodes_here();
  std::shared_ptr<Connection> connection = nodes->route(command);
  bool asking = false;
  for (int hop = 0;; ++hop) {
    std::string asked;
    if (asking) asked.append(kAsking).append(command.wire());
    PipelineOp op(*connection, asking ? std::string_view(asked) : command.wire(), asking ? 2 : 1);
    Result<Reply> reply = co_await op;
    if (!reply) co_return std::unexpected(std::move(reply.error()));
    if (!reply->is_error()) co_return std::move(*reply);
    const bool moved = reply->is_error("MOVED");
    asking = reply->is_error("ASK");
    if (hop == kHopsMax) co_return std::unexpected(error_of(*reply));
    if (moved || asking) {
      std::optional<Redirection> to = parse_redirection(reply->text, connection->endpoint());
      if (!to) co_return std::unexpected(error_of(*reply));
      redirections_.fetch_add(1, std::memory_order_relaxed);
      if (moved) nodes->moved(*to);
      connection = nodes->node(to->endpoint);
    } else if (reply->is_error("TRYAGAIN")) {
      co_await ok(sleep_for(kTryAgainAfter));
    } else {
      co_return std::unexpected(error_of(*reply));
    }
  }
}

Async<Reply> Client::eval(const Script& script, std::string key, std::vector<std::string> arguments) {
  std::vector<std::string_view> words{"EVALSHA", script.hash(), "1", key};
  words.insert(words.end(), arguments.begin(), arguments.end());
  Command known = Command(words).with_key(key);
  Result<Reply> reply = co_await call(std::move(known));
  if (reply || !reply.error().subject().starts_with("NOSCRIPT")) co_return reply;
  words[0] = "EVAL";
  words[1] = script.source();
  Command whole = Command(words).with_key(key);
  co_return co_await call(std::move(whole));
}

void Client::close() {
  std::unordered_map<Loop*, std::shared_ptr<Nodes>> all;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    all.swap(nodes_);
  }
  for (auto& [loop, nodes] : all) loop->call([&nodes] { nodes->close(); });
  // Their coroutines end within a turn or two of their loops.
  while (counters_->running.load(std::memory_order_acquire) > 0) std::this_thread::yield();
}

ClientStats Client::stats() const {
  auto value = [](const auto& counter) { return counter.load(std::memory_order_relaxed); };
  ClientStats stats;
  stats.calls = value(counters_->calls);
  stats.failures = value(counters_->failures);
  stats.timeouts = value(counters_->timeouts);
  stats.connects = value(counters_->connects);
  stats.connect_failures = value(counters_->connect_failures);
  stats.redirections = value(redirections_);
  stats.connected = value(counters_->connected);
  return stats;
}

}  // namespace bedplate::redis
