// SPDX-License-Identifier: Apache-2.0
// Numbers about requests, by operation: how many, how they ended, how long they took.
//
//   http_requests_total{operation="tasks.create",status="2xx"}          counter
//   http_request_duration_seconds{operation="tasks.create"}             histogram
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>

namespace bedplate::telemetry {
class Registry;
}

namespace bedplate::api {

/// Registered at start; recording is a few relaxed adds. Thread-safe after the last add().
class OperationMetrics {
 public:
  /// Null: counts nothing.
  explicit OperationMetrics(telemetry::Registry* registry);
  OperationMetrics(const OperationMetrics&) = delete;
  OperationMetrics& operator=(const OperationMetrics&) = delete;
  ~OperationMetrics();

  /// The index to record under. Index 0 is there from the start: requests that found no endpoint.
  std::uint32_t add(std::string_view operation);
  void record(std::uint32_t index, int status, std::int64_t duration_ns);

 private:
  struct Series;
  telemetry::Registry* registry_;
  std::deque<Series> series_;
};

}  // namespace bedplate::api
