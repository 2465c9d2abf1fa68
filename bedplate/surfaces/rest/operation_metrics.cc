// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/operation_metrics.h"

#include <algorithm>
#include <array>
#include <string>

#include "bedplate/telemetry/metrics.h"

namespace bedplate::api {

struct OperationMetrics::Series {
  std::array<telemetry::Counter, 5> by_status_class;  // 1xx (never) to 5xx
  telemetry::Histogram duration;
};

OperationMetrics::OperationMetrics(telemetry::Registry* registry) : registry_(registry) {
  add("none");
}
OperationMetrics::~OperationMetrics() = default;

std::uint32_t OperationMetrics::add(std::string_view operation) {
  Series& series = series_.emplace_back();
  if (registry_) {
    const std::string name(operation);
    for (std::size_t i = 1; i < series.by_status_class.size(); ++i)
      series.by_status_class[i] =
          registry_->counter("http_requests_total", "Requests answered, by operation and class of status.",
                             {{"operation", name}, {"status", std::to_string(i + 1) + "xx"}});
    series.duration = registry_->histogram("http_request_duration_seconds",
                                           "From the head of a request to its answer, by operation.",
                                           {{"operation", name}});
  }
  return static_cast<std::uint32_t>(series_.size() - 1);
}

void OperationMetrics::record(std::uint32_t index, int status, std::int64_t duration_ns) {
  if (!registry_) return;
  const Series& series = series_[index];
  series.by_status_class[static_cast<std::size_t>(std::clamp(status / 100 - 1, 0, 4))].add();
  series.duration.observe(static_cast<double>(duration_ns) * 1e-9);
}

}  // namespace bedplate::api
