// SPDX-License-Identifier: Apache-2.0
#include "bedplate/api/rest/health_routes.h"

#include <gmock/gmock.h>

#include "bedplate/api/rest/rest_test_kit.h"

namespace bedplate::api {
namespace {

using ::testing::HasSubstr;

class SickDisk final : public telemetry::HealthCheck {
 public:
  Async<telemetry::CheckResult> run() override {
    co_return telemetry::CheckResult(telemetry::HealthStatus::fail, "The disk is full.");
  }
};

class HealthRoutesTest : public ::testing::Test {
 protected:
  void start(std::string metrics_token = "") {
    routes_.emplace(health_, kit_.metrics, std::move(metrics_token));
    kit_.parts.raw_routes = routes_->raw_routes();
    std::vector<Api> apis;
    apis.push_back(routes_->api());
    auto made = kit_.make(std::move(apis));
    ASSERT_TRUE(made) << made.error().detail();
    kit_.rest = std::move(*made);
  }
  telemetry::Health health_;
  RestKit kit_;
  std::optional<HealthRoutes> routes_;
};

TEST_F(HealthRoutesTest, LiveAlwaysAndReadyWhenWelcome) {
  start();
  EXPECT_EQ(kit_.call("GET", "/livez").body, R"({"status":"ok"})");
  Reply starting = kit_.call("GET", "/readyz");
  EXPECT_EQ(starting.status, 503);
  EXPECT_THAT(starting.body, HasSubstr("not_ready"));
  health_.set_readiness(telemetry::Readiness::ready);
  EXPECT_EQ(kit_.call("GET", "/readyz").status, 200);
  health_.set_readiness(telemetry::Readiness::draining);
  EXPECT_THAT(kit_.call("GET", "/readyz").body, HasSubstr("shutting down"));
  EXPECT_EQ(kit_.call("GET", "/livez").status, 200);
}

TEST_F(HealthRoutesTest, SupervisorsAreNeverTurnedAway) {
  kit_.parts.rate_limit.address_burst = 1;
  kit_.parts.rate_limit.address_rate = 0.01;
  start();
  for (int i = 0; i < 3; ++i) kit_.call("GET", "/nope");
  EXPECT_EQ(kit_.call("GET", "/nope").status, 429);
  EXPECT_EQ(kit_.call("GET", "/livez").status, 200);
}

TEST_F(HealthRoutesTest, DetailsAreForLoopbackOnly) {
  start();
  for (std::string_view path : {"/healthz", "/metrics"}) {
    kit_.peer = "192.0.2.1";
    EXPECT_EQ(kit_.call("GET", path).status, 403) << path;
    kit_.peer = "127.0.0.1";
    EXPECT_EQ(kit_.call("GET", path).status, 200) << path;
    // Loopback is where a proxy stands, too.
    EXPECT_EQ(kit_.call("GET", path, {{"X-Forwarded-For", "192.0.2.1"}}).status, 403) << path;
    kit_.peer = "::1";
    EXPECT_EQ(kit_.call("GET", path).status, 200) << path;
  }
}

TEST_F(HealthRoutesTest, OrForWhoeverHasTheToken) {
  start("open-sesame");
  kit_.peer = "192.0.2.1";
  EXPECT_EQ(kit_.call("GET", "/metrics", {{"Authorization", "Bearer open-sesame"}}).status, 200);
  EXPECT_EQ(kit_.call("GET", "/metrics", {{"Authorization", "Bearer wrong"}}).status, 401);
  kit_.peer = "127.0.0.1";
  Reply refused = kit_.call("GET", "/metrics");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.field("WWW-Authenticate"), "Bearer");
}

TEST_F(HealthRoutesTest, HealthzSaysWhatIsWrong) {
  SickDisk disk;
  health_.add("disk", disk);
  start();
  kit_.peer = "127.0.0.1";
  Reply sick = kit_.call("GET", "/healthz");
  EXPECT_EQ(sick.status, 503);
  EXPECT_THAT(sick.body, HasSubstr("The disk is full."));
}

}  // namespace
}  // namespace bedplate::api
