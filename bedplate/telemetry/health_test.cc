#include "bedplate/telemetry/health.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "bedplate/base/log.h"

namespace bedplate::telemetry {
namespace {

class FixedCheck final : public HealthCheck {
 public:
  explicit FixedCheck(HealthStatus status, std::string_view detail = {}) : result_(status, detail) {}
  Async<CheckResult> run() override { co_return result_; }

 private:
  CheckResult result_;
};

class FailingCheck final : public HealthCheck {
 public:
  Async<CheckResult> run() override {
    co_return fail(Category::timeout, "slow", "The database does not answer.");
  }
};

class ThrowingCheck final : public HealthCheck {
 public:
  Async<CheckResult> run() override {
    throw std::runtime_error("secret detail");
    co_return CheckResult();
  }
};

HealthReport report_of(const Health& health) {
  auto report = health.report().run_without_waiting();
  EXPECT_TRUE(report);
  return std::move(*report);
}

TEST(Health, SaysWhetherToSendRequests) {
  Health health;
  EXPECT_EQ(health.readiness(), Readiness::starting);
  EXPECT_FALSE(health.is_ready());
  health.set_readiness(Readiness::ready);
  EXPECT_TRUE(health.is_ready());
  health.set_readiness(Readiness::draining);
  EXPECT_FALSE(health.is_ready());
  EXPECT_EQ(to_string(health.readiness()), "draining");
}

TEST(Health, IsAsGoodAsItsWorstCheck) {
  FixedCheck good(HealthStatus::pass);
  FixedCheck odd(HealthStatus::warn, "The disk is almost full.");
  FailingCheck broken;
  Health health;
  EXPECT_EQ(report_of(health).status, HealthStatus::pass);
  health.add("good", good);
  EXPECT_EQ(report_of(health).status, HealthStatus::pass);
  health.add("disk", odd);
  EXPECT_EQ(report_of(health).status, HealthStatus::warn);
  health.add("database", broken);
  const HealthReport report = report_of(health);
  EXPECT_EQ(report.status, HealthStatus::fail);
  ASSERT_EQ(report.checks.size(), 3U);
  EXPECT_EQ(report.checks[1].name, "disk");
  EXPECT_EQ(report.checks[1].result.detail, "The disk is almost full.");
  EXPECT_EQ(report.checks[2].result.status, HealthStatus::fail);
  EXPECT_EQ(report.checks[2].result.detail, "The database does not answer.");
  EXPECT_GE(report.checks[2].duration.count(), 0);
  EXPECT_EQ(to_string(report.status), "fail");
}

TEST(Health, KeepsTheTextOfExceptionsToItself) {
  ThrowingCheck check;
  Health health;
  health.add("odd", check);
  const LogLevel level = log_level();
  const HealthReport report = report_of(health);
  set_log_level(level);
  EXPECT_EQ(report.status, HealthStatus::fail);
  EXPECT_EQ(report.checks[0].result.detail.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace bedplate::telemetry
