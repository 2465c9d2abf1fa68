// SPDX-License-Identifier: Apache-2.0
// The shop over HTTP, on shards of either engine: orders are found, and every one of them is there exactly once while a
// third shard takes its part.
#include "shop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "bedplate/testing/http.h"
#include "bedplate/testing/test_app.h"
#include "tests/kits/database_kit.h"
#include "tests/kits/patience_kit.h"

namespace shop {
namespace {

using bedplate::testing::HttpConnection;
using bedplate::testing::HttpResponse;
using bedplate::testing::TestApp;
using bedplate::testing::TestDatabase;
using ::testing::HasSubstr;

class ShopTest : public ::testing::TestWithParam<const char*> {
 protected:
  ShopTest() {
    auto opened =
        ShopDatabases::open(directory_.url(), {{"a", one_.url()}, {"b", two_.url()}, {"c", three_.url()}});
    EXPECT_TRUE(opened) << opened.error().detail();
    databases_ = std::move(*opened);
    app_.emplace([this](bedplate::app::Application& app) { add_to(app, *databases_, {"a", "b"}); },
                 bedplate::testing::Settings{});
  }

  HttpResponse place(const CustomerId& customer, int cents) {
    HttpConnection http(app_->url());
    return http.request("POST", "/v1/customers/" + customer.to_string() + "/orders",
                        {{"Content-Type", "application/json"}},
                        R"({"item":"lamp","cents":)" + std::to_string(cents) + "}");
  }
  std::string get(const std::string& path) {
    HttpConnection http(app_->url());
    return http.get(path).body;
  }
  template <class T>
  bedplate::Result<T> run(bedplate::Async<T> coroutine) {
    return app_->host().wait_for(std::move(coroutine));
  }

  TestDatabase directory_{GetParam()}, one_{GetParam()}, two_{GetParam()}, three_{GetParam()};
  std::unique_ptr<ShopDatabases> databases_;
  std::optional<TestApp> app_;
};

TEST_P(ShopTest, KeepsTheOrdersOfACustomerTogetherAndAddsUpAll) {
  const auto ada = bedplate::new_id<CustomerId>(), bob = bedplate::new_id<CustomerId>();
  EXPECT_EQ(place(ada, 100).status, 200);
  EXPECT_EQ(place(ada, 20).status, 200);
  EXPECT_EQ(place(bob, 3).status, 200);
  const std::string orders = get("/v1/customers/" + ada.to_string() + "/orders");
  EXPECT_THAT(orders, HasSubstr("\"cents\":100"));
  EXPECT_THAT(orders, HasSubstr("\"cents\":20"));
  EXPECT_THAT(orders, ::testing::Not(HasSubstr("\"cents\":3}")));
  EXPECT_EQ(get("/v1/turnover"), R"({"orders":3,"cents":123})");
}

TEST_P(ShopTest, LosesNoOrderWhileAShardIsAdded) {
  std::atomic<bool> go_on = true;
  std::atomic<int> placed = 0;
  std::thread client([&] {
    while (go_on)
      if (place(bedplate::new_id<CustomerId>(), 1).status == 200) ++placed;
  });
  EXPECT_TRUE(bedplate::testing::wait_until([&] { return placed >= 20; }));
  auto& directory = databases_->shards().directory();
  EXPECT_TRUE(run(directory.add_shard("c")));
  // Some of what a rebalance would move: each move is one of the steps that it consists of.
  const auto plan = directory.plan();
  ASSERT_GE(plan.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    const auto moved = run(databases_->mover().move(plan[i].bucket, "c"));
    EXPECT_TRUE(moved) << moved.error().detail();
  }
  const int before = placed;
  EXPECT_TRUE(bedplate::testing::wait_until([&] { return placed >= before + 20; }));
  go_on = false;
  client.join();
  const std::string all = std::to_string(placed.load());
  EXPECT_EQ(get("/v1/turnover"), R"({"orders":)" + all + R"(,"cents":)" + all + "}");
}

INSTANTIATE_TEST_SUITE_P(Engines, ShopTest, bedplate::testing::every_engine(),
                         bedplate::testing::engine_name);

}  // namespace
}  // namespace shop
