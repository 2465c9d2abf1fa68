// SPDX-License-Identifier: Apache-2.0
// The numbers of outbound requests for /metrics.
//
//   outbound::Metrics metrics(registry, "webhooks");   // bedplate_outbound_requests_total{client="webhooks",...}
//
// Made once for each name; clients copy it. Default-constructed, it counts nothing.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "bedplate/telemetry/metrics.h"

namespace bedplate::outbound {

/// How an attempt ended, as metrics tell it.
enum class Outcome : std::uint8_t {
  status_2xx,
  status_3xx,
  status_4xx,
  status_5xx,
  refused,  ///< by the guard, or the request was not valid
  resolve_failed,
  connect_failed,  ///< TLS included
  timeout,
  cancelled,
  failed,  ///< the connection was lost, the answer was too large or not HTTP
  busy     ///< too many requests wait
};
inline constexpr std::size_t kOutcomes = 11;

struct Metrics {
  Metrics() = default;
  Metrics(telemetry::Registry& registry, std::string_view client);

  std::array<telemetry::Counter, kOutcomes> attempts;
  telemetry::Histogram seconds;
  telemetry::UpDownCounter connections;
  telemetry::Counter waits;
  telemetry::Counter retries;
};

}  // namespace bedplate::outbound
