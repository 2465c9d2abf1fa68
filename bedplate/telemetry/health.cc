// SPDX-License-Identifier: Apache-2.0
#include "bedplate/telemetry/health.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <optional>
#include <tuple>
#include <utility>

#include "bedplate/async/gather.h"
#include "bedplate/async/wake.h"

namespace bedplate::telemetry {
namespace {

using std::chrono::steady_clock;

std::chrono::microseconds since(steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - start);
}

}  // namespace

std::string_view to_string(Readiness readiness) {
  constexpr std::string_view kNames[] = {"starting", "ready", "draining"};
  return kNames[static_cast<std::size_t>(readiness)];
}

std::string_view to_string(HealthStatus status) {
  constexpr std::string_view kNames[] = {"pass", "warn", "fail"};
  return kNames[static_cast<std::size_t>(status)];
}

void Health::add(std::string_view name, HealthCheck& check, HealthStatus without_answer) {
  assert(std::none_of(checks_.begin(), checks_.end(),
                      [name](const Named& other) { return other.name == name; }));
  checks_.push_back({std::string(name), &check, without_answer});
}

/// One run of one check. Who asked holds it, and so does the check while it runs: one that hangs ends when it can.
struct Health::Run {
  explicit Run(const Named& of) : check(*of.check) {}

  HealthCheck& check;
  const steady_clock::time_point start = steady_clock::now();
  Scope scope;
  Wake ended;
  std::optional<CheckReport> report;  ///< nothing: it has not ended
};

Async<void> Health::run_check(std::shared_ptr<Run> run, const Named& named) {
  Result<CheckResult> result = co_await run->check.run();
  CheckReport& report = run->report.emplace();
  report.name = named.name;
  report.duration = since(run->start);
  report.result = result ? std::move(*result) : CheckResult(named.without_answer, result.error().detail());
  run->ended.set();
}

Async<void> Health::wait_for(std::shared_ptr<Run> run) const {
  if (!run->report) co_await ok(run->ended.wait_for(check_time_max_));
}

CheckReport Health::give_up(Run& run, const Named& named) const {
  CheckReport report;
  report.name = named.name;
  report.duration = since(run.start);
  const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(report.duration);
  report.result = CheckResult(named.without_answer, fmt::format("It did not answer within {} ms.",
                                                                std::min(waited, check_time_max_).count()));
  return report;
}

Async<HealthReport> Health::report() const {
  std::vector<std::shared_ptr<Run>> runs;
  std::vector<Async<void>> waits;
  for (const Named& named : checks_) {
    const auto& run = runs.emplace_back(std::make_shared<Run>(named));
    run->scope.set_deadline(run->start + check_time_max_);
    run_check(run, named).detach(&run->scope);
    waits.push_back(wait_for(run));
  }
  // Ends early also when whoever asked has no more time: the answer is then what is known by now.
  std::ignore = co_await gather_results(std::move(waits));

  HealthReport report;
  report.readiness = readiness();
  for (std::size_t i = 0; i < runs.size(); ++i) {
    Run& run = *runs[i];
    report.checks.push_back(run.report ? std::move(*run.report) : give_up(run, checks_[i]));
    report.status = std::max(report.status, report.checks.back().result.status);
  }
  for (const auto& run : runs) run->scope.cancel(Category::timeout);
  co_return report;
}

}  // namespace bedplate::telemetry
