// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/server_metrics.h"

#include "bedplate/http/server.h"

namespace bedplate::http {

void ServerMetrics::collect(telemetry::MetricWriter& out) const {
  const ServerStats stats = server_.stats();
  const auto counter = [&out](const char* name, const char* help, std::uint64_t value) {
    out.counter(name, help, static_cast<double>(value));
  };
  const auto gauge = [&out](const char* name, const char* help, std::uint64_t value) {
    out.gauge(name, help, static_cast<double>(value));
  };
  gauge("bedplate_http_connections_open", "Connections open now.", stats.connections_open);
  gauge("bedplate_http_requests_running", "Requests that wait for their answer now.", stats.requests_running);
  counter("bedplate_http_connections_accepted_total", "Connections accepted.", stats.connections_accepted);
  counter("bedplate_http_requests_bad_total", "Requests refused before a handler saw them.",
          stats.bad_requests);
  counter("bedplate_http_received_bytes_total", "Bytes received.", stats.bytes_in);
  counter("bedplate_http_sent_bytes_total", "Bytes sent.", stats.bytes_out);
}

}  // namespace bedplate::http
