// SPDX-License-Identifier: Apache-2.0
#include "bedplate/telemetry/health.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <deque>
#include <tuple>
#include <utility>

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

/// One run of every check. Who asked holds it, and so does each check while it runs: one that hangs ends when it can.
struct Health::Round {
  struct Line {
    explicit Line(const Named& of) : check(*of.check), without_answer(of.without_answer) {
      report.name = of.name;
    }
    HealthCheck& check;
    HealthStatus without_answer;
    Scope scope;
    CheckReport report;
    bool ended = false;
  };

  steady_clock::time_point start = steady_clock::now();
  std::deque<Line> lines;
  std::size_t running = 0;
  Wake all_ended;
};

Async<void> Health::run_check(std::shared_ptr<Round> round, std::size_t index) {
  Round::Line& line = round->lines[index];
  Result<CheckResult> result = co_await line.check.run();
  line.report.duration = since(round->start);
  line.report.result =
      result ? std::move(*result) : CheckResult(line.without_answer, result.error().detail());
  line.ended = true;
  if (--round->running == 0) round->all_ended.set();
}

Async<HealthReport> Health::report() const {
  auto round = std::make_shared<Round>();
  for (const Named& named : checks_) round->lines.emplace_back(named);
  round->running = checks_.size();
  for (std::size_t i = 0; i < checks_.size(); ++i) {
    Scope& scope = round->lines[i].scope;
    scope.set_deadline(round->start + check_time_max_);
    run_check(round, i).detach(&scope);
  }
  // Ends early also when whoever asked has no more time: the answer is then what is known by now.
  if (round->running > 0) std::ignore = co_await round->all_ended.wait_for(check_time_max_);

  HealthReport report;
  report.readiness = readiness();
  for (Round::Line& line : round->lines) {
    if (!line.ended) {
      line.report.duration = since(round->start);
      const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(line.report.duration);
      line.report.result = CheckResult(
          line.without_answer,
          fmt::format("It did not answer within {} ms.", std::min(waited, check_time_max_).count()));
    }
    report.status = std::max(report.status, line.report.result.status);
    report.checks.push_back(line.report);
  }
  for (Round::Line& line : round->lines) line.scope.cancel(Category::timeout);
  co_return report;
}

}  // namespace bedplate::telemetry
