// SPDX-License-Identifier: Apache-2.0
// What the connections of one loop share. Private header.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bedplate/async/listener.h"
#include "bedplate/async/loop.h"
#include "bedplate/http/address.h"
#include "bedplate/http/answer.h"
#include "bedplate/http/compression.h"
#include "bedplate/http/handler.h"
#include "bedplate/http/message/date.h"
#include "bedplate/http/message/parser.h"
#include "bedplate/http/server.h"
#include "bedplate/http/settings.h"

namespace bedplate::http {

class Connection;

/// What all loops share: read-only after construction, but for the state of draining.
struct ServerCore {
  ServerCore(Handler& h, ProblemWriter& p, ServerSettings s)
      : handler(h), problems(p), settings(std::move(s)) {}

  bool allows_host(std::string_view authority) const;

  Handler& handler;
  ProblemWriter& problems;
  const ServerSettings settings;
  HeadLimits head_limits;
  CodingRules coding_rules;
  TrustedProxies trusted_proxies;
  std::atomic<bool> draining{false};

  std::mutex mutex;
  std::condition_variable connection_closed;  // waits for open connections to become none
  std::atomic<std::uint64_t> connections_open{0};
};

/// Written by one loop, read by any thread.
class Counter {
 public:
  void add(std::uint64_t n) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Shard final : public ConnectionHandler {
 public:
  Shard(Loop& on, ServerCore& of) : loop(on), core(of) {}

  void on_connection(Stream stream) override;
  void add(Connection& connection);
  void remove(Connection& connection);
  /// Stops accepting and closes what idles. On the loop's thread, like everything here.
  void drain();
  /// Cancels what still runs.
  void cut_off();

  Loop& loop;
  ServerCore& core;
  DateLine date;
  EncoderCache encoders;
  Buffer scratch;  ///< for compressed bodies
  std::vector<std::unique_ptr<Listener>> listeners;

  Counter accepted;
  Counter requests;
  Counter requests_ended;
  Counter bad_requests;
  Counter bytes_in;
  Counter bytes_out;

 private:
  Connection* first_ = nullptr;
};

}  // namespace bedplate::http
