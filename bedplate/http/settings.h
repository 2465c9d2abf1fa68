// What an operator can set about the HTTP server: section `server` of the configuration.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bedplate::http {

struct ServerSettings {
  /// Where to listen: "127.0.0.1:8080", "[::1]:8080", "unix:/run/bedplate.sock"; port 0 picks one.
  std::vector<std::string> listen = {"127.0.0.1:8080"};
  /// Event loops; 0: one for each core.
  std::uint32_t threads = 0;

  // Limits. Past one of them: a clear error (414, 431, 413, 503) and the rest goes on working.
  std::uint32_t connections_max = 10'000;          ///< over all loops; more wait to be accepted
  std::uint32_t request_line_size_max = 8 * 1024;  ///< bytes; 414
  std::uint32_t header_size_max = 16 * 1024;       ///< bytes of all field lines; 431
  std::uint32_t header_count_max = 100;            ///< 431; at most 250
  std::uint64_t body_size_max = 1024 * 1024;       ///< bytes; 413. An operation may say otherwise
  std::uint64_t requests_per_connection_max = 0;   ///< then the connection closes; 0: no limit

  // Times. 0 switches a limit off.
  std::uint32_t header_timeout_ms =
      10'000;                              ///< from the first byte of a request to the end of its header: 408
  std::uint32_t body_timeout_ms = 15'000;  ///< without a byte of the body: 408
  std::uint32_t body_rate_min_bytes =
      500;  ///< bytes a second that a body brings at least, after body_timeout_ms: 408
  std::uint32_t idle_timeout_ms = 60'000;     ///< between requests: the connection closes
  std::uint32_t request_timeout_ms = 30'000;  ///< for the handler: its scope ends with a time-out, 504
  std::uint32_t write_timeout_ms = 30'000;    ///< without the client taking a byte: the connection closes
  std::uint32_t linger_timeout_ms =
      2'000;  ///< how long a refused client may go on sending before it is cut off

  /// After SIGTERM the server still accepts this long, with /readyz at 503, so that load balancers see it.
  std::uint32_t drain_delay_ms = 0;
  /// Then running requests have this long to finish.
  std::uint32_t drain_timeout_ms = 20'000;

  /// Networks (CIDR) whose X-Forwarded-For and Forwarded fields count. Empty: nobody's.
  std::vector<std::string> trusted_proxies;
  /// The field that those proxies write: "x-forwarded-for" or "forwarded". Only this one is read, because a
  /// proxy passes on what a client wrote into the other.
  std::string forwarded_field = "x-forwarded-for";
  /// Host names that requests may address, without port; "*.example.org" takes all below it. Empty: any.
  std::vector<std::string> allowed_hosts;

  /// Compress answers (gzip, br, zstd) for clients that ask for it.
  bool compression = true;
  std::uint32_t compression_size_min = 1024;  ///< bytes; smaller bodies are sent as they are
};

}  // namespace bedplate::http
