// SPDX-License-Identifier: Apache-2.0
// Rules, statements and routes, in this order. Past 250 lines the statements go into a file of their own.
#include "wishlists.h"

#include "bedplate/operations/input.h"
#include "bedplate/operations/paging/list.h"
#include "bedplate/sql/table.h"
#include "wishlists_migrations.h"

namespace wishlists {

using namespace bedplate;
using auth::Caller;

constexpr ErrorCode kNoList{Category::not_found, "wishlist_not_found", "You have no list with this id."};
constexpr ErrorCode kNoItem{Category::not_found, "item_not_found", "The list has no item with this id."};

constexpr sql::Table<Wishlist> kLists("wishlists", sql::owner, sql::key<&Wishlist::id>,
                                      sql::version<&Wishlist::version>,
                                      sql::written_once<&Wishlist::created_at>);
constexpr sql::Table<Item> kItems("wishlist_items", sql::owner, sql::key<&Item::wishlist_id>,
                                  sql::key<&Item::id>);
constexpr sql::Composed kItemsOfList("wishlist_items.of_list", kItems.select_by(2),
                                     " ORDER BY id LIMIT 1000");
constexpr api::Sorts<Wishlist> kSorts("-created_at",
                                      api::sort<&Wishlist::created_at>(api::ordered_as<&Wishlist::id>,
                                                                       api::indexed),
                                      api::sort<&Wishlist::name>());

/// Another user's list answers like one that does not exist.
class Wishlists final : public auth::UserDataOwner {
 public:
  explicit Wishlists(const Clock& clock) : clock_(clock) {}

  Async<Wishlist> create(const Caller& caller, sql::Transaction& tx, const api::New<Wishlist>& input) const {
    Wishlist list = input.make();
    list.id = new_id<WishlistId>();
    list.created_at = clock_.now();
    co_await ok(kLists.insert(tx, caller.user(), list));
    co_return list;
  }

  Async<api::Page<Wishlist>> list(const Caller& caller, sql::Reader& db, const api::PageQuery& input) const {
    sql::Where where(db.dialect());
    where.add(sql::Column("owner"), sql::Compare::equal, caller.user());
    return api::list_page<Wishlist>(db, kLists.select_all(), std::move(where), input, kSorts);
  }

  Async<WholeWishlist> find(const Caller& caller, sql::Reader& db, const api::Ref<Wishlist>& input) const {
    WholeWishlist whole;
    whole.wishlist = co_await ok(kLists.find_or(kNoList, db, caller.user(), input->id));
    whole.items = co_await ok(db.all<Item>(kItemsOfList, caller.user(), input->id));
    co_return whole;
  }

  Async<Wishlist> change(const Caller& caller, sql::Transaction& tx,
                         const api::Changes<Wishlist>& input) const {
    Wishlist list = co_await ok(kLists.find_or(kNoList, tx, caller.user(), input->id));
    co_await ok(input.if_match.check(list.version));
    if (!input.apply_to(list)) co_return list;
    co_await ok(kLists.update(tx, caller.user(), list));
    co_return list;
  }

  Async<Item> add_item(const Caller& caller, sql::Transaction& tx, const api::New<Item>& input) const {
    Wishlist list = co_await ok(kLists.find_or(kNoList, tx, caller.user(), input->wishlist_id));
    Item item = input.make();
    item.id = new_id<ItemId>();
    item.created_at = clock_.now();
    co_await ok(kItems.insert(tx, caller.user(), item));
    ++list.item_count;
    co_await ok(kLists.update(tx, caller.user(), list));
    co_return item;
  }

  Async<void> remove_item(const Caller& caller, sql::Transaction& tx, const api::Ref<Item>& input) const {
    Wishlist list = co_await ok(kLists.find_or(kNoList, tx, caller.user(), input->wishlist_id));
    const std::int64_t removed =
        co_await ok(kItems.remove_all(tx, caller.user(), input->wishlist_id, input->id));
    if (removed == 0) co_await fail(kNoItem);
    --list.item_count;
    co_await ok(kLists.update(tx, caller.user(), list));
  }

  Async<void> delete_user_data(sql::Transaction& tx, auth::UserId user) override {
    co_await ok(kItems.remove_all(tx, user));
    co_await ok(kLists.remove_all(tx, user));
  }

 private:
  const Clock& clock_;
};

app::Module wishlists_module() {
  using namespace api;
  return app::Module("wishlists", "Lists of wishes. A list belongs to one user.")
      .migrations(wishlists_migrations())
      .tables({&kLists, &kItems}, {kItemsOfList})
      .scopes({"wishlists:read", "wishlists:write"}, app::for_users)
      .service<Wishlists>()
      .command<&Wishlists::create>("create", post("/v1/wishlists"), needs("wishlists:write"),
                                   creates("/v1/wishlists/{id}"), etag_from<&Wishlist::version>())
      .query<&Wishlists::list>("list", get("/v1/wishlists"), needs("wishlists:read"), sorts_by(kSorts))
      .query<&Wishlists::find>("find", get("/v1/wishlists/{id}"), needs("wishlists:read"),
                               fails_with(kNoList))
      .command<&Wishlists::change>("change", patch("/v1/wishlists/{id}"), needs("wishlists:write"),
                                   fails_with(kNoList), etag_from<&Wishlist::version>())
      .command<&Wishlists::add_item>("add_item", post("/v1/wishlists/{wishlist_id}/items"),
                                     needs("wishlists:write"), fails_with(kNoList))
      .command<&Wishlists::remove_item>("remove_item", del("/v1/wishlists/{wishlist_id}/items/{id}"),
                                        needs("wishlists:write"), fails_with(kNoList, kNoItem));
}

}  // namespace wishlists
