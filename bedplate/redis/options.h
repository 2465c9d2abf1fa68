// SPDX-License-Identifier: Apache-2.0
// Where a Redis is and how to talk to it.
//
//   redis://127.0.0.1:6379            redis://user:secret@cache.example.com/2
//   rediss://:secret@10.0.0.7:6380    (TLS)          redis+unix:/run/redis.sock
//
// User and password are percent-decoded; the path is the number of the database. Port 6379, database 0 and no user are
// the defaults.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bedplate/async/tls.h"
#include "bedplate/base/result.h"
#include "bedplate/redis/reply.h"

namespace bedplate::redis {

/// One server: "host:port", or the path of a socket.
struct Endpoint {
  std::string host;
  std::uint16_t port = 6379;
  std::string socket_path;

  std::string to_string() const;
  auto operator<=>(const Endpoint&) const = default;
};

struct Options {
  Endpoint endpoint;
  std::string user;
  std::string password;
  int database = 0;
  bool tls = false;
  TlsClientOptions tls_options;

  /// From call() to its answer. A server that is slower is as good as away.
  std::chrono::milliseconds call_timeout{250};
  /// To connect, encrypt and log in.
  std::chrono::milliseconds connect_timeout{1000};
  /// Between attempts to connect again: doubled from the first to the last, with jitter.
  std::chrono::milliseconds backoff_min{50};
  std::chrono::milliseconds backoff_max{2000};
  /// Commands of one loop that wait for a reply; more are refused at once.
  std::size_t pending_max = 10'000;
  /// Bytes of them that are not sent yet.
  std::size_t unsent_bytes_max = 32 << 20;
  ReplyLimits reply_limits;

  /// Category::invalid `redis_url`, with a sentence that shows the forms. Never repeats the password.
  static Result<Options> from_url(std::string_view url);
};

}  // namespace bedplate::redis
