// SPDX-License-Identifier: Apache-2.0
// Wishlists: what a person would like to have, in lists. Every list belongs to one user.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bedplate/app/module.h"
#include "bedplate/base/id.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/describe.h"

namespace wishlists {

using WishlistId = bedplate::Id<struct WishlistTag>;
using ItemId = bedplate::Id<struct ItemTag>;

enum class Visibility { hidden, link };
consteval auto describe(Visibility) {
  return bedplate::schema::values<Visibility::hidden, Visibility::link>("Who may see a list.");
}

struct Wishlist {
  WishlistId id;
  std::string name;
  std::string note;
  Visibility visibility = Visibility::hidden;
  std::int64_t item_count = 0;
  bedplate::Time created_at{};
  std::int64_t version = 1;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Wishlist>(
        "A list of wishes.",
        {
            field<&Wishlist::id>(key, read_only, "Names the list; IDs sort by creation time."),
            field<&Wishlist::name>(length{1, 100}, not_blank, example("Birthday"), "What it is for."),
            field<&Wishlist::note>(length{0, 2'000}, optional_with_default, "Anything more; plain text."),
            field<&Wishlist::visibility>(optional_with_default, "Who may see it."),
            field<&Wishlist::item_count>(read_only, "How many items there are."),
            field<&Wishlist::created_at>(read_only, "When it was made."),
            field<&Wishlist::version>(read_only, "Counts changes; the ETag is made of it."),
        });
  }
};

struct Item {
  WishlistId wishlist_id;
  ItemId id;
  std::string title;
  std::optional<std::string> url;
  std::optional<std::int64_t> price_cents;
  bedplate::Time created_at{};

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Item>(
        "Something wished for.",
        {
            field<&Item::wishlist_id>(key, "The list that it is on."),
            field<&Item::id>(key, read_only, "Names the item."),
            field<&Item::title>(length{1, 200}, not_blank, example("A bicycle"), "What it is."),
            field<&Item::url>(format::web_url, "Where to find it."),
            field<&Item::price_cents>(range{0, 1'000'000'000}, "About what it costs."),
            field<&Item::created_at>(read_only, "When it was added."),
        });
  }
};

/// A list with what is on it.
struct WholeWishlist {
  Wishlist wishlist;
  std::vector<Item> items;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<WholeWishlist>("A list and what is on it.",
                                 {field<&WholeWishlist::wishlist>("The list."),
                                  field<&WholeWishlist::items>("Its items, the oldest first.")});
  }
};

/// The service as a program takes it.
bedplate::app::Module wishlists_module();

}  // namespace wishlists
