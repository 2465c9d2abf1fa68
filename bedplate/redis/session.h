// SPDX-License-Identifier: Apache-2.0
// Session: a connection to one Redis server on which RESP3 is agreed and the user is logged in. What pipelines
// (connection.h) and subscribers (subscriber.h) are made of.
//
// On one loop. One coroutine may read while another writes.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/async/stream.h"
#include "bedplate/async/tls.h"
#include "bedplate/async/worker_pool.h"
#include "bedplate/redis/options.h"
#include "bedplate/redis/reply.h"

namespace bedplate::redis {

/// What all sessions of a client share. Thread-safe.
class Dialer {
 public:
  /// Category::invalid when the TLS files cannot be used.
  static Result<std::shared_ptr<Dialer>> make(Options options);

  const Options& options() const { return options_; }
  /// The address of an endpoint. Names are looked up on a thread of its own, since that blocks.
  Async<SocketAddress> find(Endpoint endpoint);
  /// How long to wait after so many failed attempts in a row: doubled each time, with jitter.
  std::chrono::nanoseconds backoff(int failures) const;
  /// Where to try after so many failed attempts in a row: the endpoint of the settings, and then in turn the nodes of a
  /// Cluster that were met.
  Endpoint endpoint_after(std::uint32_t failures) const;
  /// The masters of a Cluster, as a node of it has just said.
  void met(std::vector<Endpoint> nodes);
  const TlsContext* tls() const { return tls_ ? &*tls_ : nullptr; }

 private:
  explicit Dialer(Options options) : options_(std::move(options)), lookups_(1, 64, "redis-lookup") {}

  const Options options_;
  std::optional<TlsContext> tls_;
  WorkerPool lookups_;
  mutable std::mutex mutex_;
  std::vector<Endpoint> met_;
};

class Session {
 public:
  explicit Session(std::shared_ptr<Dialer> dialer)
      : dialer_(std::move(dialer)), parser_(dialer_->options().reply_limits) {}

  /// Connects, encrypts, says HELLO, logs in, chooses the database; all within options().connect_timeout. Fails with
  /// `cache_unavailable`, or `cache_refused` when the server is there and does not let us in.
  Async<void> open(Endpoint endpoint);
  /// After open(): the server is a node of a Cluster.
  bool is_cluster() const { return cluster_; }

  Async<void> write(std::string_view bytes);
  /// Reads once: after it next() may have replies. Fails at the end of the connection.
  Async<void> read();
  Result<std::optional<Reply>> next() { return parser_.next(); }
  /// Ends what waits. Destroy it only after that has ended.
  void close();

 private:
  Async<void> connect(Endpoint endpoint);
  Async<void> log_in();
  Async<Reply> next_reply();

  const std::shared_ptr<Dialer> dialer_;
  Stream plain_;
  std::optional<TlsStream> encrypted_;
  ReplyParser parser_;
  bool cluster_ = false;
};

}  // namespace bedplate::redis
