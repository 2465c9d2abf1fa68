// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/background.h"

#include <gmock/gmock.h>

#include <atomic>
#include <semaphore>
#include <string>
#include <vector>

#include "bedplate/async/loop.h"
#include "bedplate/async/loop_group.h"
#include "bedplate/async/timer.h"
#include "bedplate/base/buffer.h"
#include "bedplate/telemetry/health.h"
#include "bedplate/telemetry/metrics.h"

namespace bedplate::app {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Le;

/// A task whose time is the test's: pauses take none of the real one.
class BackgroundTest : public ::testing::Test {
 protected:
  /// How each run of the task ends; the run after the last goes on until it is cancelled.
  struct Ending {
    milliseconds after;  ///< it ran so long
    bool fails;
  };

  BackgroundTest() {
    loops_.start();
    BackgroundTasks::Timing timing;
    timing.now = [this] { return now_; };
    timing.pause = [this](milliseconds time) { return pause(time); };
    tasks_.emplace(metrics_, std::move(timing));
  }
  ~BackgroundTest() override {
    tasks_.reset();
    loops_.stop();
    loops_.join();
  }

  /// Returns once the run after the last ending has begun.
  void run_through(std::vector<Ending> endings) {
    endings_ = std::move(endings);
    tasks_->add("sweeper", [this] { return body(); });
    tasks_->report_to(health_);
    tasks_->start(loops_);
    settled_.acquire();
  }
  telemetry::CheckResult check() {
    std::optional<telemetry::HealthReport> report;
    std::binary_semaphore done{0};
    loops_.loop(0).spawn(report_into(report, done));
    done.acquire();
    return report->checks.at(0).result;
  }
  std::string metrics_text() const {
    Buffer out;
    metrics_.write_prometheus(out);
    return out.to_string();
  }

  std::vector<milliseconds> pauses_;
  std::vector<telemetry::CheckResult> while_paused_;
  int starts_ = 0;
  LoopGroup loops_{1};
  telemetry::Registry metrics_;
  telemetry::Health health_;
  std::optional<BackgroundTasks> tasks_;
  std::binary_semaphore settled_{0};

 private:
  Async<void> body() {
    const std::size_t run = static_cast<std::size_t>(starts_++);
    if (run >= endings_.size()) {
      settled_.release();
      co_await ok(sleep_for(24h));
    }
    now_ += endings_[run].after;
    if (endings_[run].fails) co_await fail(Category::unavailable, "database_unavailable", "It is away.");
  }
  Async<void> pause(milliseconds time) {
    telemetry::HealthReport report = co_await ok(health_.report());
    while_paused_.push_back(report.checks.at(0).result);
    pauses_.push_back(time);
    now_ += time;
  }
  Async<void> report_into(std::optional<telemetry::HealthReport>& report, std::binary_semaphore& done) {
    report.emplace(co_await ok(health_.report()));
    done.release();
  }

  std::vector<Ending> endings_;
  std::chrono::steady_clock::time_point now_{};
};

TEST_F(BackgroundTest, ATaskThatFailsIsStartedAgainWithLongerAndLongerPauses) {
  run_through(std::vector<Ending>(9, {1ms, true}));
  EXPECT_EQ(starts_, 10);
  ASSERT_EQ(pauses_.size(), 9u);
  milliseconds longest = 1s;
  for (const milliseconds pause : pauses_) {
    EXPECT_THAT(pause, AllOf(Ge(longest / 2), Le(longest)));
    longest = std::min<milliseconds>(longest * 2, 60s);
  }
  for (const telemetry::CheckResult& result : while_paused_) {
    EXPECT_EQ(result.status, telemetry::HealthStatus::warn);
    EXPECT_THAT(result.detail, HasSubstr("database_unavailable"));
  }
  EXPECT_EQ(check().status, telemetry::HealthStatus::pass);
  EXPECT_THAT(metrics_text(), HasSubstr("bedplate_background_restarts_total{task=\"sweeper\"} 9\n"));
}

TEST_F(BackgroundTest, OneThatJustEndsIsStartedAgainToo) {
  run_through({{1ms, false}});
  EXPECT_EQ(starts_, 2);
  EXPECT_THAT(while_paused_.at(0).detail, HasSubstr("none"));
}

TEST_F(BackgroundTest, HavingRunForAMinuteItBeginsWithTheShortestPause) {
  run_through({{1ms, true}, {1ms, true}, {1ms, true}, {61s, true}, {1ms, true}});
  ASSERT_EQ(pauses_.size(), 5u);
  EXPECT_GE(pauses_[2], 2s);
  EXPECT_LE(pauses_[3], 1s);
  EXPECT_GE(pauses_[4], 1s);
  EXPECT_LE(pauses_[4], 2s);
}

Async<void> end_with_failure(std::binary_semaphore& ended) {
  ended.release();
  co_await fail(Category::internal, "broken", "It is broken.");
}

TEST_F(BackgroundTest, StoppingEndsOneThatWaitsToBeStarted) {
  BackgroundTasks::Timing timing;
  timing.pause_min = timing.pause_max = 24h;
  std::binary_semaphore ended{0};
  BackgroundTasks tasks(metrics_, timing);
  tasks.add("doomed", [&] { return end_with_failure(ended); });
  tasks.start(loops_);
  ended.acquire();
  tasks.stop();
}

}  // namespace
}  // namespace bedplate::app
