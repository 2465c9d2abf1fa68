#include "bedplate/telemetry/health.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace bedplate::telemetry {

std::string_view to_string(Readiness readiness) {
  constexpr std::string_view kNames[] = {"starting", "ready", "draining"};
  return kNames[static_cast<std::size_t>(readiness)];
}

std::string_view to_string(HealthStatus status) {
  constexpr std::string_view kNames[] = {"pass", "warn", "fail"};
  return kNames[static_cast<std::size_t>(status)];
}

void Health::add(std::string_view name, HealthCheck& check) {
  assert(std::none_of(checks_.begin(), checks_.end(),
                      [name](const Named& other) { return other.name == name; }));
  checks_.push_back({std::string(name), &check});
}

Async<HealthReport> Health::report() const {
  using std::chrono::steady_clock;
  HealthReport report;
  report.readiness = readiness();
  report.checks.reserve(checks_.size());
  for (const Named& named : checks_) {
    const steady_clock::time_point start = steady_clock::now();
    Result<CheckResult> result = co_await named.check->run();
    CheckReport& line = report.checks.emplace_back();
    line.name = named.name;
    line.duration = std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - start);
    if (result) {
      line.result = std::move(*result);
    } else {
      line.result = CheckResult(HealthStatus::fail, result.error().detail());
    }
    report.status = std::max(report.status, line.result.status);
  }
  co_return report;
}

}  // namespace bedplate::telemetry
