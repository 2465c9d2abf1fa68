// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/health_routes.h"

#include <gmock/gmock.h>

#include "tests/kits/rest_kit.h"

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
  /// As on the listener that the public reaches.
  void start(std::string_view metrics_token = "") {
    routes_.emplace(health_, kit_.metrics);
    serve(routes_->public_routes(metrics_token));
  }
  /// As on the operators' own.
  void start_operations() {
    routes_.emplace(health_, kit_.metrics);
    serve(routes_->operator_routes());
  }
  void serve(std::vector<RawRoute> raw_routes) {
    kit_.parts.raw_routes = std::move(raw_routes);
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

TEST_F(HealthRoutesTest, AQueryStringIsNotLookedAt) {
  start();
  health_.set_readiness(telemetry::Readiness::ready);
  for (std::string_view query : {"?x=1", "?verbose", "?a=1&a=2", "?%zz", "?"}) {
    EXPECT_EQ(kit_.call("GET", "/livez" + std::string(query)).status, 200) << query;
    EXPECT_EQ(kit_.call("GET", "/readyz" + std::string(query)).status, 200) << query;
  }
}

TEST_F(HealthRoutesTest, SupervisorsAreNeverTurnedAway) {
  kit_.parts.rate_limit.address_burst = 1;
  kit_.parts.rate_limit.address_rate = 0.01;
  start("open-sesame");
  for (int i = 0; i < 3; ++i) kit_.call("GET", "/nope");
  EXPECT_EQ(kit_.call("GET", "/nope").status, 429);
  EXPECT_EQ(kit_.call("GET", "/livez").status, 200);
  for (std::string_view path : {"/healthz", "/metrics"})
    EXPECT_EQ(kit_.call("GET", path, {{"Authorization", "Bearer open-sesame"}}).status, 200) << path;
}

TEST_F(HealthRoutesTest, DetailsAreNowhereThatThePublicReaches) {
  start();
  for (std::string_view path : {"/healthz", "/metrics"}) {
    for (const char* peer : {"192.0.2.1", "127.0.0.1", "::1", "unix"}) {
      kit_.peer = peer;
      EXPECT_EQ(kit_.call("GET", path).status, 404) << path << " for " << peer;
      EXPECT_EQ(kit_.call("GET", path, {{"Authorization", "Bearer"}}).status, 404) << path;
    }
    EXPECT_EQ(kit_.call("POST", path).status, 404) << path;
  }
}

TEST_F(HealthRoutesTest, OnAListenerOfTheirOwnTheyAnswer) {
  start_operations();
  for (std::string_view path : {"/healthz", "/metrics"}) {
    Reply reply = kit_.call("GET", path);
    EXPECT_EQ(reply.status, 200) << path;
    EXPECT_EQ(reply.field("Cache-Control"), "no-store") << path;
  }
}

TEST_F(HealthRoutesTest, ElsewhereForWhoeverHasTheToken) {
  start("open-sesame");
  kit_.peer = "192.0.2.1";
  EXPECT_EQ(kit_.call("GET", "/metrics", {{"Authorization", "Bearer open-sesame"}}).status, 200);
  EXPECT_EQ(kit_.call("GET", "/healthz", {{"Authorization", "bearer   open-sesame"}}).status, 200);
  kit_.peer = "127.0.0.1";
  const Reply nowhere = kit_.call("GET", "/nowhere");
  for (std::string_view path : {"/healthz", "/metrics"}) {
    for (const char* wrong :
         {"Bearer", "Bearer wrong", "Bearer open-sesam", "Bearer open-sesame!", "Basic open-sesame"}) {
      const Reply refused = kit_.call("GET", path, {{"Authorization", wrong}});
      EXPECT_EQ(refused.status, 404) << wrong;
      EXPECT_THAT(refused.body, HasSubstr(R"("code":"not_found")"));
      EXPECT_EQ(refused.field("Content-Type"), nowhere.field("Content-Type"));
      EXPECT_EQ(refused.field("WWW-Authenticate"), "");
    }
  }
}

TEST_F(HealthRoutesTest, HealthzSaysWhatIsWrong) {
  SickDisk disk;
  health_.add("disk", disk);
  start_operations();
  Reply sick = kit_.call("GET", "/healthz");
  EXPECT_EQ(sick.status, 503);
  EXPECT_THAT(sick.body, HasSubstr("The disk is full."));
}

}  // namespace
}  // namespace bedplate::api
