// SPDX-License-Identifier: Apache-2.0
#include "bedplate/telemetry/health.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <tuple>

#include "bedplate/async/loop.h"
#include "bedplate/async/shield.h"
#include "bedplate/async/timer.h"
#include "bedplate/async/wake.h"
#include "bedplate/base/log.h"

namespace bedplate::telemetry {
namespace {

using namespace std::chrono_literals;

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

Async<void> sleep_until_ended(const bool& ended) {
  while (!ended) co_await ok(sleep_for(1ms));
}

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

/// Waits until another check has begun.
class MeetingCheck final : public HealthCheck {
 public:
  MeetingCheck(Wake& mine, Wake& other) : mine_(mine), other_(other) {}
  Async<CheckResult> run() override {
    other_.set();
    co_await ok(mine_.wait_for(60s));
    co_return CheckResult();
  }

 private:
  Wake& mine_;
  Wake& other_;
};

/// Waits until it is cancelled, or, when it is deaf to that, until it is let go.
class HangingCheck final : public HealthCheck {
 public:
  explicit HangingCheck(bool deaf) : deaf_(deaf) {}
  Async<CheckResult> run() override {
    if (deaf_)
      co_await shielded(wait());
    else
      co_await ok(wait());
    co_return CheckResult();
  }
  Wake let_go;
  bool ended = false;

 private:
  Async<void> wait() {
    std::ignore = co_await let_go.wait_for(60s);
    ended = true;
  }
  bool deaf_;
};

TEST(Health, ChecksRunBesideOneAnother) {
  Wake here, there;
  MeetingCheck one(here, there), two(there, here);
  Health health(50s);
  health.add("one", one);
  health.add("two", two);
  Loop loop;
  const Result<HealthReport> report = run_to_end(loop, health.report());
  ASSERT_TRUE(report);
  EXPECT_EQ(report->status, HealthStatus::pass);
}

TEST(Health, NamesWhatDoesNotAnswerInTimeAndSaysTheRest) {
  HangingCheck database(false), disk(true), cache(false);
  FixedCheck good(HealthStatus::pass, "Well.");
  Health health(20ms);
  health.add("database", database);
  health.add("good", good);
  health.add("disk", disk);
  health.add("cache", cache, HealthStatus::warn);
  Loop loop;
  const Result<HealthReport> report = run_to_end(loop, health.report());
  ASSERT_TRUE(report);
  EXPECT_EQ(report->status, HealthStatus::fail);
  ASSERT_EQ(report->checks.size(), 4U);
  EXPECT_EQ(report->checks[0].result.detail, "It did not answer within 20 ms.");
  EXPECT_EQ(report->checks[1].result.detail, "Well.");
  EXPECT_EQ(report->checks[2].result.status, HealthStatus::fail);
  EXPECT_EQ(report->checks[3].result.status, HealthStatus::warn) << "nothing depends on it";
  EXPECT_FALSE(disk.ended) << "it is not waited for";
  disk.let_go.set();
  static_cast<void>(run_to_end(loop, sleep_until_ended(disk.ended)));
  static_cast<void>(run_to_end(loop, sleep_until_ended(database.ended)));
}

TEST(Health, AnswersWhatItKnowsWhenTheOneWhoAsksHasNoMoreTime) {
  HangingCheck database(false);
  FixedCheck good(HealthStatus::pass);
  Health health(50s);
  health.add("database", database);
  health.add("good", good);
  Loop loop;
  Scope asker;
  asker.cancel(Category::timeout);
  const Result<HealthReport> report = run_to_end(loop, health.report(), &asker);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->checks[0].result.status, HealthStatus::fail);
  EXPECT_EQ(report->checks[1].result.status, HealthStatus::pass);
  static_cast<void>(run_to_end(loop, sleep_until_ended(database.ended)));
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
