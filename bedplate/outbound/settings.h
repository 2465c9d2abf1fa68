// SPDX-License-Identifier: Apache-2.0
// What an operator can set about requests to other servers: section `outbound` of the configuration.
//
//   outbound::Settings settings;
//   registry.add("outbound", settings);
#pragma once

#include <cstdint>
#include <string>

#include "bedplate/describe/describe.h"

namespace bedplate::outbound {

/// Sizes are bytes, times milliseconds; limits hold for each client, which is one of a loop. A time of 0 switches its
/// limit off.
struct Settings {
  std::uint32_t timeout_ms = 30'000;
  std::uint32_t resolve_timeout_ms = 5'000;
  std::uint32_t connect_timeout_ms = 10'000;
  std::uint32_t first_byte_timeout_ms = 20'000;
  std::uint32_t idle_timeout_ms = 15'000;
  std::uint32_t rate_min_bytes = 0;

  std::uint32_t requests_max = 256;
  std::uint32_t requests_per_host_max = 32;
  std::uint32_t waiting_max = 1'000;
  std::uint32_t idle_connections_max = 64;
  std::uint32_t connection_idle_s = 60;

  std::uint32_t header_size_max = 64 * 1024;
  std::uint32_t header_count_max = 200;
  std::uint64_t body_size_max = std::uint64_t{16} << 20;
  std::uint32_t retry_percent = 10;
  std::uint32_t name_cache_s = 30;

  std::string ca_file;
  std::string proxy;
  std::string user_agent = "bedplate";

  static consteval auto describe() {
    using namespace bedplate::schema;
    using S = Settings;
    constexpr std::int64_t kDayMs = 86'400'000;
    return object<S>(
        "Requests to other servers",
        {
            field<&S::timeout_ms>(optional_with_default, range{0, kDayMs},
                                  "Time limit of a request with its retries, where the caller says no other"),
            field<&S::resolve_timeout_ms>(optional_with_default, range{1, 600'000},
                                          "Time limit of finding a host's addresses"),
            field<&S::connect_timeout_ms>(optional_with_default, range{1, 600'000},
                                          "Time limit of connecting, TLS included"),
            field<&S::first_byte_timeout_ms>(optional_with_default, range{0, kDayMs},
                                             "Longest wait for the first byte of an answer"),
            field<&S::idle_timeout_ms>(optional_with_default, range{0, kDayMs},
                                       "Longest pause within an answer"),
            field<&S::rate_min_bytes>(optional_with_default, range{0, 1'073'741'824},
                                      "Minimum rate (bytes/s) of a transfer over idle_timeout_ms; 0: none"),
            field<&S::requests_max>(optional_with_default, range{1, 10'000}, "Requests at once"),
            field<&S::requests_per_host_max>(optional_with_default, range{1, 10'000},
                                             "Requests at once to one host and port"),
            field<&S::waiting_max>(optional_with_default, range{0, 100'000},
                                   "Requests that wait for their turn; further ones fail"),
            field<&S::idle_connections_max>(optional_with_default, range{1, 10'000},
                                            "Connections kept to be used again"),
            field<&S::connection_idle_s>(optional_with_default, range{1, 86'400},
                                         "Seconds after which an idle connection is not used again"),
            field<&S::header_size_max>(optional_with_default, range{1024, 1'048'576},
                                       "Bytes of the header fields of an answer"),
            field<&S::header_count_max>(optional_with_default, range{1, 10'000},
                                        "Header fields of an answer"),
            field<&S::body_size_max>(optional_with_default, range{0, 1'099'511'627'776},
                                     "Bytes of an answer that is read whole, after decoding"),
            field<&S::retry_percent>(optional_with_default, range{0, 100},
                                     "Share of requests that may be tried again, beside ten in reserve"),
            field<&S::name_cache_s>(optional_with_default, range{0, 3600},
                                    "Seconds for which a host's addresses are kept"),
            field<&S::ca_file>(optional_with_default, length{0, 4000},
                               "PEM file of the authorities that are trusted. Empty: those of the system"),
            field<&S::proxy>(
                optional_with_default, secret, length{0, 4000},
                "http://[user:password@]host:port of a proxy for all requests; the environment's "
                "proxies are not used"),
            field<&S::user_agent>(optional_with_default, length{1, 200}, pattern("[!-~]+( [!-~]+)*"),
                                  "User-Agent field of requests"),
        });
  }
};

}  // namespace bedplate::outbound
