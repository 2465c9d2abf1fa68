// SPDX-License-Identifier: Apache-2.0
#include "bedplate/telemetry/metrics.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "bedplate/base/buffer.h"

namespace bedplate::telemetry {
namespace {

std::string text_of(const Registry& registry) {
  Buffer out;
  registry.write_prometheus(out);
  std::string text = out.to_string();
  // Every registry ends with its own counter; tests look at what comes before.
  return text.substr(0, text.find("# HELP bedplate_metric_series_refused_total"));
}

TEST(Counter, Counts) {
  Registry registry;
  const Counter counter = registry.counter("requests_total", "Requests.");
  counter.add();
  counter.add(41);
  EXPECT_EQ(counter.value(), 42U);
  EXPECT_EQ(text_of(registry),
            "# HELP requests_total Requests.\n# TYPE requests_total counter\nrequests_total 42\n");
}

TEST(Counter, OfTheSameNameAndLabelsIsTheSame) {
  Registry registry;
  registry.counter("a_total", "A.", {{"code", "200"}}).add(1);
  registry.counter("a_total", "A.", {{"code", "500"}}).add(2);
  registry.counter("a_total", "A.", {{"code", "200"}}).add(3);
  EXPECT_EQ(text_of(registry),
            "# HELP a_total A.\n# TYPE a_total counter\na_total{code=\"200\"} 4\na_total{code=\"500\"} 2\n");
}

TEST(Counter, CountsNothingWithoutARegistry) {
  Registry registry;
  const Counter shown = registry.counter("shown_total", "Shown.");
  Counter().add(7);
  UpDownCounter().add(-1);
  Gauge().set(1.5);
  Histogram().observe(1);
  EXPECT_EQ(shown.value(), 0u);
  EXPECT_EQ(text_of(registry), "# HELP shown_total Shown.\n# TYPE shown_total counter\nshown_total 0\n");
}

TEST(Counter, LosesNothingBetweenThreads) {
  Registry registry;
  const Counter counter = registry.counter("a_total", "A.");
  const UpDownCounter open = registry.up_down_counter("open", "Open.");
  const double bounds[] = {0.5};
  const Histogram spread = registry.histogram("spread", "Spread.", {}, bounds);
  constexpr int kEach = 2'000;
  constexpr std::uint64_t kRounds = 3;
  constexpr std::uint64_t kThreads = 24;  // more than have a page of their own; rounds hand pages on
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    std::vector<std::jthread> threads;
    for (std::uint64_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < kEach; ++i) {
          counter.add();
          open.add();
          spread.observe(i % 2 == 0 ? 0.25 : 1);
          open.subtract();
        }
        open.add();
      });
    }
    text_of(registry);  // reading meanwhile is fine
  }
  EXPECT_EQ(counter.value(), kRounds * kThreads * kEach);
  EXPECT_EQ(open.value(), static_cast<std::int64_t>(kRounds * kThreads));
  EXPECT_EQ(spread.count(), kRounds * kThreads * kEach);
  EXPECT_EQ(spread.sum(), kRounds * kThreads * kEach * 0.625);
}

TEST(UpDownCounter, GoesBelowZero) {
  Registry registry;
  const UpDownCounter counter = registry.up_down_counter("open", "Open.");
  counter.subtract(3);
  EXPECT_EQ(counter.value(), -3);
  EXPECT_EQ(text_of(registry), "# HELP open Open.\n# TYPE open gauge\nopen -3\n");
}

TEST(Gauge, IsWhatWasSetLast) {
  Registry registry;
  const Gauge gauge = registry.gauge("ratio", "Ratio.");
  gauge.set(0.5);
  std::jthread([&gauge] { gauge.set(0.25); }).join();
  EXPECT_EQ(gauge.value(), 0.25);
  for (const auto& [value, text] :
       {std::pair{-0.0, "-0"}, {HUGE_VAL, "+Inf"}, {-HUGE_VAL, "-Inf"}, {std::nan(""), "NaN"}}) {
    gauge.set(value);
    EXPECT_EQ(text_of(registry),
              std::string("# HELP ratio Ratio.\n# TYPE ratio gauge\nratio ") + text + "\n");
  }
}

TEST(Histogram, SpreadsOverBuckets) {
  Registry registry;
  const double bounds[] = {0.1, 1, 10};
  const Histogram histogram = registry.histogram("t_seconds", "T.", {{"op", "a"}}, bounds);
  for (const double value : {0.05, 0.1, 0.5, 10.0, 11.0}) histogram.observe(value);
  EXPECT_EQ(histogram.count(), 5U);
  EXPECT_EQ(text_of(registry),
            "# HELP t_seconds T.\n# TYPE t_seconds histogram\n"
            "t_seconds_bucket{op=\"a\",le=\"0.1\"} 2\n"
            "t_seconds_bucket{op=\"a\",le=\"1\"} 3\n"
            "t_seconds_bucket{op=\"a\",le=\"10\"} 4\n"
            "t_seconds_bucket{op=\"a\",le=\"+Inf\"} 5\n"
            "t_seconds_sum{op=\"a\"} 21.65\n"
            "t_seconds_count{op=\"a\"} 5\n");
}

TEST(Histogram, TakesWhatIsNotANumber) {
  Registry registry;
  const Histogram histogram = registry.histogram("t_seconds", "T.");
  histogram.observe(std::nan(""));
  histogram.observe(1);
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.sum(), 1);
}

RC_GTEST_PROP(Histogram, CountsEveryValueOnce, (const std::vector<double>& values)) {
  Registry registry;
  const Histogram histogram = registry.histogram("t_seconds", "T.");
  for (const double value : values) histogram.observe(value);
  RC_ASSERT(histogram.count() == values.size());
}

TEST(Registry, EscapesHelpAndLabels) {
  Registry registry;
  registry.counter("a_total", "Back\\slash,\nline \"quote\".", {{"v", "q\"b\\n\n\xFF\xC3\xA9"}}).add();
  EXPECT_EQ(text_of(registry),
            "# HELP a_total Back\\\\slash,\\nline \"quote\".\n# TYPE a_total counter\n"
            "a_total{v=\"q\\\"b\\\\n\\n\xEF\xBF\xBD\xC3\xA9\"} 1\n");
}

TEST(Registry, BoundsTheNumberOfSeries) {
  Registry registry(3);
  for (int i = 0; i < 10; ++i) registry.counter("a_total", "A.", {{"i", std::to_string(i)}}).add();
  Buffer out;
  registry.write_prometheus(out);
  const std::string text = out.to_string();
  EXPECT_NE(text.find("a_total{i=\"2\"} 1\n"), std::string::npos);
  EXPECT_EQ(text.find("a_total{i=\"3\"}"), std::string::npos);
  EXPECT_NE(text.find("bedplate_metric_series_refused_total 7\n"), std::string::npos);
}

TEST(Registry, HasRoomForMoreThanOneBlockOfCells) {
  Registry registry;
  std::vector<Histogram> histograms;
  for (int i = 0; i < 200; ++i)
    histograms.push_back(registry.histogram("t", "T.", {{"i", std::to_string(i)}}));
  for (std::size_t i = 0; i < histograms.size(); ++i) {
    for (std::size_t k = 0; k <= i; ++k) histograms[i].observe(1);
  }
  for (std::size_t i = 0; i < histograms.size(); ++i) EXPECT_EQ(histograms[i].count(), i + 1);
}

class Pool final : public Collector {
 public:
  double depth = 3;
  void collect(MetricWriter& out) const override {
    out.gauge("pool_depth", "Depth.", depth, {{"pool", "a"}});
    out.gauge("pool_depth", "Depth.", depth + 1, {{"pool", "b"}});
    out.counter("pool_done_total", "Done.", 7);
  }
};

TEST(Registry, AsksCollectorsWhileTheyAreWatched) {
  Registry registry;
  const Pool pool;
  {
    Watch watch = registry.watch(pool);
    const Watch moved = std::move(watch);
    EXPECT_EQ(text_of(registry),
              "# HELP pool_depth Depth.\n# TYPE pool_depth gauge\npool_depth{pool=\"a\"} "
              "3\npool_depth{pool=\"b\"} 4\n"
              "# HELP pool_done_total Done.\n# TYPE pool_done_total counter\npool_done_total 7\n");
  }
  EXPECT_EQ(text_of(registry), "");
}

using RegistryDeathTest = ::testing::Test;

TEST(RegistryDeathTest, RefusesWhatIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Registry registry;
  registry.counter("a_total", "A.");
  const double wrong[] = {1, 1};
  EXPECT_DEATH(registry.gauge("a_total", "A."), "one name has two types");
  EXPECT_DEATH(registry.counter("a-b", "A."), "not one of Prometheus");
  EXPECT_DEATH(registry.counter("", "A."), "not one of Prometheus");
  EXPECT_DEATH(registry.counter("b_total", "B.", {{"1st", "x"}}), "a label has a bad name");
  EXPECT_DEATH(registry.counter("b_total", "B.", {{"__x", "x"}}), "a label has a bad name");
  EXPECT_DEATH(registry.counter("b_total", "B.", {{"x", "1"}, {"x", "2"}}), "a label stands twice");
  EXPECT_DEATH(registry.histogram("h", "H.", {{"le", "1"}}), "belongs to the buckets");
  EXPECT_DEATH(registry.histogram("h", "H.", {}, wrong), "do not ascend");
}

}  // namespace
}  // namespace bedplate::telemetry
