// SPDX-License-Identifier: Apache-2.0
#include "wishlists.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "bedplate/testing/conformance.h"
#include "bedplate/testing/http.h"
#include "bedplate/testing/json.h"
#include "bedplate/testing/test_app.h"
#include "services/identity/module.h"
#include "tests/kits/database_kit.h"

namespace wishlists {
namespace {

using bedplate::testing::HttpConnection;
using bedplate::testing::HttpFields;
using bedplate::testing::HttpResponse;
using bedplate::testing::Json;
using bedplate::testing::TestApp;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void build(bedplate::app::Application& app) {
  auto settings = std::make_shared<bedplate::identity::IdentitySettings>();
  app.add(
      bedplate::identity::identity_module(*settings, {bedplate::auth::PasswordCost::worthless_for_tests()}));
  app.add(wishlists_module());
  app.wire([settings](bedplate::app::Host&) {});  // they live as long as the program
}

class WishlistsTest : public bedplate::testing::EngineTest {
 protected:
  std::string sign_up(const std::string& email) {
    const HttpResponse answer =
        http.post("/v1/auth/signup", R"({"email":")" + email + R"(","password":"correct horse battery"})");
    return std::string(Json::parse(answer.body)["access_token"].text());
  }
  HttpResponse call(const std::string& token, std::string_view method, const std::string& path,
                    std::string_view body = {}, HttpFields fields = {}) {
    fields.emplace_back("Authorization", "Bearer " + token);
    if (!body.empty()) fields.emplace_back("Content-Type", "application/json");
    return http.request(method, path, fields, body);
  }

  TestApp app{build, {{"database.url", database_url()}}};
  HttpConnection http{app.url()};
};

TEST_P(WishlistsTest, AListCountsItsItems) {
  const std::string ada = sign_up("ada@example.com");
  const HttpResponse made = call(ada, "POST", "/v1/wishlists", R"({"name": "Birthday"})");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string path = made.field("Location");
  const HttpResponse item =
      call(ada, "POST", path + "/items", R"({"title": "A bicycle", "price_cents": 45000})");
  ASSERT_EQ(item.status, 200) << item.body;
  HttpResponse whole = call(ada, "GET", path);
  EXPECT_THAT(whole.body, HasSubstr(R"("item_count":1)"));
  EXPECT_THAT(whole.body, HasSubstr("A bicycle"));
  const std::string id(Json::parse(item.body)["id"].text());
  EXPECT_EQ(call(ada, "DELETE", path + "/items/" + id).status, 204);
  EXPECT_EQ(call(ada, "DELETE", path + "/items/" + id).status, 404);
  EXPECT_THAT(call(ada, "GET", path).body, HasSubstr(R"("item_count":0)"));
}

TEST_P(WishlistsTest, AChangeIsOfTheVersionThatWasSeen) {
  const std::string ada = sign_up("ada@example.com");
  const std::string path = call(ada, "POST", "/v1/wishlists", R"({"name": "Birthday"})").field("Location");
  const HttpResponse changed = call(ada, "PATCH", path, R"({"note": "Big"})", {{"If-Match", "\"1\""}});
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(changed.field("ETag"), "\"2\"");
  EXPECT_EQ(call(ada, "PATCH", path, R"({"note": "Small"})", {{"If-Match", "\"1\""}}).status, 412);
}

TEST_P(WishlistsTest, NobodyReachesAnothersList) {
  const std::string ada = sign_up("ada@example.com");
  const std::string eve = sign_up("eve@example.com");
  const std::string path = call(ada, "POST", "/v1/wishlists", R"({"name": "Birthday"})").field("Location");
  EXPECT_EQ(call(eve, "GET", path).status, 404);
  EXPECT_EQ(call(eve, "POST", path + "/items", R"({"title": "Coal"})").status, 404);
  EXPECT_THAT(call(eve, "GET", "/v1/wishlists").body, HasSubstr(R"("total":0)"));
  EXPECT_EQ(call(ada, "POST", "/v1/me/delete", R"({"password": "correct horse battery"})").status, 204);
  EXPECT_EQ(app.host().wait_for(
                app.database().read(+[](bedplate::sql::Reader& db) -> bedplate::Async<std::int64_t> {
                  std::int64_t left = co_await ok(db.value<std::int64_t>("SELECT count(*) FROM wishlists"));
                  co_return left;
                })),
            0)
      << "an account goes with its lists";
}

INSTANTIATE_TEST_SUITE_P(Engines, WishlistsTest, bedplate::testing::every_engine(),
                         bedplate::testing::engine_name);

}  // namespace
}  // namespace wishlists
