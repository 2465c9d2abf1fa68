// SPDX-License-Identifier: Apache-2.0
#include "bedplate/outbound/metrics.h"

#include <string>

namespace bedplate::outbound {

Metrics::Metrics(telemetry::Registry& registry, std::string_view client) {
  constexpr std::array<std::string_view, kOutcomes> kNames = {
      "2xx",     "3xx",       "4xx",    "5xx", "refused", "resolve_failed", "connect_failed",
      "timeout", "cancelled", "failed", "busy"};
  const telemetry::Label name{"client", std::string(client)};
  for (std::size_t i = 0; i < kOutcomes; ++i)
    attempts[i] =
        registry.counter("bedplate_outbound_attempts_total", "Attempts at requests to other servers.",
                         {name, {"outcome", std::string(kNames[i])}});
  seconds = registry.histogram("bedplate_outbound_attempt_seconds", "Time of an attempt.", {name});
  connections =
      registry.up_down_counter("bedplate_outbound_connections_open", "Connections open now.", {name});
  waits =
      registry.counter("bedplate_outbound_waits_total", "Requests that had to wait for their turn.", {name});
  retries = registry.counter("bedplate_outbound_retries_total", "Attempts beyond the first.", {name});
}

}  // namespace bedplate::outbound
