// Health: is this process alive, should it get traffic, and what is wrong with it.
//
//   Health health;
//   health.add("database", database_check);   // a HealthCheck that main owns
//   health.set_readiness(Readiness::ready);    // /readyz answers 200 from here on
//   HealthReport report = co_await ok(health.report());
//
// Three questions, three answers: /livez says that the loop still turns (it needs nothing from here), /readyz
// says whether to send requests (readiness, one atomic load), /healthz runs the checks and says how each
// went.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
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

/// One thing that can be unwell. run() may wait, so it can ask a database; it gives up by itself within a
/// second or so. It may run on several loops at once. An error counts as `fail` with the error's detail.
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

/// The checks are added before requests are served; everything else is thread-safe.
class Health {
 public:
  /// `check` outlives this. Names are unique.
  void add(std::string_view name, HealthCheck& check);

  void set_readiness(Readiness readiness) { readiness_.store(readiness, std::memory_order_release); }
  Readiness readiness() const { return readiness_.load(std::memory_order_acquire); }
  bool is_ready() const { return readiness() == Readiness::ready; }

  /// Runs the checks one after the other. Never fails: what goes wrong stands in the report.
  Async<HealthReport> report() const;

 private:
  struct Named {
    std::string name;
    HealthCheck* check;
  };
  std::vector<Named> checks_;
  std::atomic<Readiness> readiness_{Readiness::starting};
};

}  // namespace bedplate::telemetry
