// SPDX-License-Identifier: Apache-2.0
// What an operator can set about the HTTP server: section `server` of the configuration.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bedplate/describe/describe.h"

namespace bedplate::http {

/// Sizes are bytes, times milliseconds. Past a limit there is a clear error, and the rest goes on working; a
/// time of 0 switches its limit off.
struct ServerSettings {
  std::vector<std::string> listen = {"127.0.0.1:8080"};
  std::uint32_t threads = 0;
  std::uint32_t worker_threads = 1;

  std::uint32_t connections_max = 10'000;
  std::uint32_t request_line_size_max = 8 * 1024;
  std::uint32_t header_size_max = 16 * 1024;
  std::uint32_t header_count_max = 100;
  std::uint64_t body_size_max = 1024 * 1024;
  std::uint64_t requests_per_connection_max = 0;

  std::uint32_t header_timeout_ms = 10'000;
  std::uint32_t body_timeout_ms = 15'000;
  std::uint32_t body_rate_min_bytes = 500;
  std::uint32_t idle_timeout_ms = 125'000;
  std::uint32_t request_timeout_ms = 30'000;
  std::uint32_t write_timeout_ms = 30'000;
  std::uint32_t linger_timeout_ms = 2'000;
  std::uint32_t drain_delay_ms = 0;
  std::uint32_t drain_timeout_ms = 20'000;

  std::vector<std::string> trusted_proxies;
  std::string forwarded_field = "x-forwarded-for";
  std::vector<std::string> allowed_hosts;

  bool compression = true;
  std::uint32_t compression_size_min = 1024;

  static consteval auto describe() {
    using namespace bedplate::schema;
    using S = ServerSettings;
    constexpr std::int64_t kDayMs = 86'400'000;
    return object<S>(
        "The HTTP server",
        {
            field<&S::listen>(optional_with_default, length{1, 64},
                              "Addresses to listen on: 127.0.0.1:8080, [::1]:8080, unix:/run/bedplate.sock; "
                              "port 0 takes a free one"),
            field<&S::threads>(optional_with_default, range{0, 1024}, "Event loops; 0: one for each core"),
            field<&S::worker_threads>(
                optional_with_default, range{0, 64},
                "Event loops for background work, apart from those that serve requests; "
                "0: the serving loops do it"),
            field<&S::connections_max>(optional_with_default, range{1, 10'000'000},
                                       "Open connections over all loops; more wait to be accepted"),
            field<&S::request_line_size_max>(optional_with_default, range{64, 1'048'576},
                                             "Bytes of method and target; longer is answered 414"),
            field<&S::header_size_max>(optional_with_default, range{256, 1'048'576},
                                       "Bytes of all header fields; more is answered 431"),
            field<&S::header_count_max>(optional_with_default, range{1, 250},
                                        "Header fields; more is answered 431"),
            field<&S::body_size_max>(
                optional_with_default, range{0, 1'099'511'627'776},
                "Bytes of a request body, where the operation does not say otherwise; more is 413"),
            field<&S::requests_per_connection_max>(optional_with_default, range{0, 1'000'000'000},
                                                   "Requests after which a connection closes; 0: no limit"),
            field<&S::header_timeout_ms>(
                optional_with_default, range{0, kDayMs},
                "Time from the first byte of a request to the end of its header; then 408"),
            field<&S::body_timeout_ms>(optional_with_default, range{0, kDayMs},
                                       "Longest pause within a request body; then 408"),
            field<&S::body_rate_min_bytes>(
                optional_with_default, range{0, 1'073'741'824},
                "Minimum upload rate (bytes/s) of a body, once body_timeout_ms has passed"),
            field<&S::idle_timeout_ms>(
                optional_with_default, range{0, kDayMs},
                "Between requests; then the connection closes. Longer than a proxy in front keeps idle "
                "connections, else it sends requests into closing ones"),
            field<&S::request_timeout_ms>(
                optional_with_default, range{0, kDayMs},
                "Time limit of an operation, without the time its client takes; then 504"),
            field<&S::write_timeout_ms>(
                optional_with_default, range{0, kDayMs},
                "Longest time that a client takes no byte of an answer; then it is cut off"),
            field<&S::linger_timeout_ms>(optional_with_default, range{1, 60'000},
                                         "How long a refused client may go on sending before it is cut off"),
            field<&S::drain_delay_ms>(
                optional_with_default, range{0, kDayMs},
                "After SIGTERM: how long to go on accepting with /readyz at 503, so that load "
                "balancers notice"),
            field<&S::drain_timeout_ms>(optional_with_default, range{0, kDayMs},
                                        "Time that running requests have to finish after that"),
            field<&S::trusted_proxies>(
                optional_with_default, length{0, 1000},
                "Networks (10.0.0.0/8, ::1, unix) whose word about the client's address counts"),
            field<&S::forwarded_field>(
                optional_with_default, pattern("x-forwarded-for|forwarded"),
                "The field those proxies write. Only this one is read: a proxy passes on what a "
                "client wrote into the other"),
            field<&S::allowed_hosts>(
                optional_with_default, length{0, 1000},
                "Host names that requests may address, without port; *.example.org takes all below "
                "it; empty: any"),
            field<&S::compression>(optional_with_default,
                                   "Compress answers (zstd, br, gzip) for clients that ask for it"),
            field<&S::compression_size_min>(optional_with_default, range{0, 1'073'741'824},
                                            "Bytes; smaller bodies are sent as they are"),
        });
  }
};

}  // namespace bedplate::http
