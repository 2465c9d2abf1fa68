// SPDX-License-Identifier: Apache-2.0
// Client: commands for a Redis server or a Redis Cluster, from any loop.
//
//   Result<std::unique_ptr<Client>> client = Client::make(*Options::from_url("redis://127.0.0.1:6379"));
//   Reply reply = co_await ok((*client)->call(Command("GET", key)));
//
// Each loop has a connection of its own to each server that it talks to, and all coroutines of the loop share it
// (connection.h says how, and what happens when the server is away). Nothing is sent twice: a call that failed may or
// may not have been executed, unless it failed with `cache_busy`.
//
// A Cluster is recognised by its answers. Commands go to the node that holds the slot of their key, redirections
// (MOVED, ASK) are followed, and the map of slots is read anew when one shows that it is old or a node is away: so a
// fail-over costs the calls that go to the node that is away, until its replica has taken over. The node that the URL
// names must be there once; from then on the others are known.
//
// Errors beside those of connection.h: `cache_refused` (unavailable: the user may not do that); and for a command that
// was wrong Category::internal `cache_error`, with Redis's words as its subject().
//
// Blocking commands (BLPOP, WAIT, SUBSCRIBE) would hold up everybody: not here. For messages see subscriber.h.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/redis/command.h"
#include "bedplate/redis/connection.h"
#include "bedplate/redis/options.h"
#include "bedplate/redis/script.h"

namespace bedplate::redis {

/// Numbers for /metrics. Counters only grow.
struct ClientStats {
  std::uint64_t calls = 0;
  std::uint64_t failures = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t connects = 0;
  std::uint64_t connect_failures = 0;
  std::uint64_t redirections = 0;
  std::int64_t connected = 0;  ///< connections now
};

/// Thread-safe; call() from a coroutine on a loop. The loops outlive it.
class Client {
 public:
  /// Connects to nothing yet. Category::invalid when TLS files cannot be used.
  static Result<std::unique_ptr<Client>> make(Options options);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  /// close().
  ~Client();

  Async<Reply> call(Command command);
  /// Runs a script on one key, by its hash where the server knows it.
  Async<Reply> eval(const Script& script, std::string key, std::vector<std::string> arguments);

  /// Ends every connection and waits until that has happened. Calls that wait fail, later ones too. While the loops
  /// still run, from none of their threads; once.
  void close();

  ClientStats stats() const;
  const std::shared_ptr<Dialer>& dialer() const { return dialer_; }

 private:
  class Nodes;

  explicit Client(std::shared_ptr<Dialer> dialer);
  std::shared_ptr<Nodes> nodes_here();

  const std::shared_ptr<Dialer> dialer_;
  const std::shared_ptr<ConnectionCounters> counters_ = std::make_shared<ConnectionCounters>();
  std::atomic<std::uint64_t> redirections_{0};
  std::mutex mutex_;
  std::unordered_map<Loop*, std::shared_ptr<Nodes>> nodes_;
  bool closed_ = false;
};

}  // namespace bedplate::redis
