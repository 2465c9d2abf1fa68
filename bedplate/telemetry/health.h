// SPDX-License-Identifier: Apache-2.0
// Health: is this process alive, should it get traffic, and what is wrong with it.
//
//   Health health;
//   health.add("database", database_check);   // a HealthCheck that main owns
//   health.set_readiness(Readiness::ready);    // /readyz answers 200 from here on
//   HealthReport report = co_await ok(health.report());
//
// /livez says that the event loop runs (it needs nothing from here), /readyz whether to send requests (readiness, one
// atomic load), /healthz runs the checks and reports each result. Checks run concurrently, each for `check_time_max`
// at most, so one that hangs is reported soon and does not hide the others.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"

namespace bedplate::telemetry {

enum class Readiness : std::uint8_t {
  starting,  ///< Not yet: migrating, warming.
  ready,     ///< Send requests.
  draining,  ///< Not any more: what runs is finished, then the process ends.
};
std::string_view to_string(Readiness readiness);

enum class HealthStatus : std::uint8_t {
  pass,  ///< As it should be.
  warn,  ///< It works, but somebody should look (a disk that fills, a queue that grows).
  fail,  ///< It does not work.
};
std::string_view to_string(HealthStatus status);

struct CheckResult {
  HealthStatus status = HealthStatus::pass;
  std::string detail;  ///< One sentence for an operator; no secrets. May be empty.

  CheckResult() = default;
  CheckResult(HealthStatus checked_status, std::string_view checked_detail = {})
      : status(checked_status), detail(checked_detail) {}
};

/// One thing that can be unwell. run() may wait, so it can ask a database. It may run on several loops at once, and
/// beside itself. When its time is over its scope is cancelled, and it is not waited for any longer: it may end later.
class HealthCheck {
 public:
  virtual ~HealthCheck() = default;
  virtual Async<CheckResult> run() = 0;
};

struct CheckReport {
  std::string name;
  CheckResult result;
  std::chrono::microseconds duration{0};
};

struct HealthReport {
  HealthStatus status = HealthStatus::pass;  ///< The worst of the checks.
  Readiness readiness = Readiness::starting;
  std::vector<CheckReport> checks;  ///< In the order they were added.
};

/// A supervisor waits for a few seconds before it takes no answer for an answer; a check that is well takes
/// milliseconds.
inline constexpr std::chrono::milliseconds kCheckTimeMax{2'000};

/// The checks are added before requests are served; everything else is thread-safe.
class Health {
 public:
  explicit Health(std::chrono::milliseconds check_time_max = kCheckTimeMax)
      : check_time_max_(check_time_max) {}

  /// `check` outlives this, and every loop on which it was run. Names are unique. `without_answer` is what it means
  /// that the check ends with an error, or not in time: `warn` for what the service can do without.
  void add(std::string_view name, HealthCheck& check, HealthStatus without_answer = HealthStatus::fail);

  void set_readiness(Readiness readiness) { readiness_.store(readiness, std::memory_order_release); }
  Readiness readiness() const { return readiness_.load(std::memory_order_acquire); }
  bool is_ready() const { return readiness() == Readiness::ready; }

  /// Runs the checks beside one another. Never fails: what goes wrong stands in the report. On a loop, unless no check
  /// waits for anything.
  Async<HealthReport> report() const;

 private:
  struct Named {
    std::string name;
    HealthCheck* check;
    HealthStatus without_answer;
  };
  struct Run;
  static Async<void> run_check(std::shared_ptr<Run> run, const Named& named);
  Async<void> wait_for(std::shared_ptr<Run> run) const;
  CheckReport give_up(Run& run, const Named& named) const;

  const std::chrono::milliseconds check_time_max_;
  std::vector<Named> checks_;
  std::atomic<Readiness> readiness_{Readiness::starting};
};

}  // namespace bedplate::telemetry
