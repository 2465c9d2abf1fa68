// SPDX-License-Identifier: Apache-2.0
#include "wishlists.h"

#include <gtest/gtest.h>

#include "bedplate/operations/input.h"
#include "bedplate/operations/paging/page.h"
#include "bedplate/testing/database_suite.h"
#include "bedplate/testing/test_app.h"
#include "bedplate/testing/user.h"
#include "services/identity/module.h"
#include "tests/kits/postgresql_url_kit.h"

namespace wishlists {
namespace {

using bedplate::Result;
using bedplate::api::Changes;
using bedplate::api::New;
using bedplate::api::Page;
using bedplate::api::PageQuery;
using bedplate::api::Ref;
using bedplate::testing::TestApp;
using bedplate::testing::User;

class WishlistsTest : public bedplate::testing::DatabaseTest {
 protected:
  static Wishlist birthday(User& user) {
    return user.call<Wishlist>("wishlists.create", New<Wishlist>({.name = "Birthday"})).value();
  }
  static WholeWishlist whole(User& user, WishlistId id) {
    return user.call<WholeWishlist>("wishlists.find", Ref<Wishlist>({.id = id})).value();
  }

  TestApp app{{bedplate::identity::identity_module_for_tests(), wishlists_module()},
              {{"database.url", database_url()}}};
  User ada = app.user("ada");
};

TEST_P(WishlistsTest, AListCountsItsItems) {
  const Wishlist list = birthday(ada);
  const New<Item> bicycle({.wishlist_id = list.id, .title = "A bicycle", .price_cents = 45'000});
  const Result<Item> item = ada.call<Item>("wishlists.add_item", bicycle);
  ASSERT_TRUE(item) << ada.last().body;
  EXPECT_EQ(whole(ada, list.id).wishlist.item_count, 1);
  EXPECT_EQ(whole(ada, list.id).items.at(0).title, "A bicycle");
  const Ref<Item> ref({.wishlist_id = list.id, .id = item->id});
  EXPECT_TRUE(ada.call<void>("wishlists.remove_item", ref));
  EXPECT_EQ(ada.call<void>("wishlists.remove_item", ref).error().code(), "item_not_found");
  EXPECT_EQ(whole(ada, list.id).wishlist.item_count, 0);
}

TEST_P(WishlistsTest, AChangeIsOfTheVersionThatWasSeen) {
  Changes<Wishlist> changes({.id = birthday(ada).id});
  changes.set<&Wishlist::note>("Big");
  EXPECT_EQ(ada.call<Wishlist>("wishlists.change", changes, {.if_match = 1}).value().version, 2);
  EXPECT_EQ(ada.last().field("ETag"), "\"2\"");
  EXPECT_EQ(ada.call<Wishlist>("wishlists.change", changes, {.if_match = 1}).error().code(),
            "version_mismatch");
}

TEST_P(WishlistsTest, NobodyReachesAnothersList) {
  User eve = app.user("eve");
  const Wishlist list = birthday(ada);
  EXPECT_EQ(eve.call<WholeWishlist>("wishlists.find", Ref<Wishlist>({.id = list.id})).error().code(),
            "wishlist_not_found");
  const New<Item> coal({.wishlist_id = list.id, .title = "Coal"});
  EXPECT_EQ(eve.call<Item>("wishlists.add_item", coal).error().code(), "wishlist_not_found");
  EXPECT_EQ(eve.call<Page<Wishlist>>("wishlists.list", PageQuery{}).value().pagination.total, 0);
  EXPECT_EQ(ada.request("POST", "/v1/me/delete", R"({"password": "correct horse battery"})").status, 204);
  EXPECT_EQ(app.host().wait_for(
                app.database().read(+[](bedplate::sql::Reader& db) -> bedplate::Async<std::int64_t> {
                  std::int64_t left = co_await ok(db.value<std::int64_t>("SELECT count(*) FROM wishlists"));
                  co_return left;
                })),
            0)
      << "an account goes with its lists";
}

INSTANTIATE_TEST_SUITE_P(Engines, WishlistsTest, bedplate::testing::every_database(),
                         bedplate::testing::database_name);

}  // namespace
}  // namespace wishlists
