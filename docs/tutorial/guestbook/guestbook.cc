// SPDX-License-Identifier: Apache-2.0
#include "guestbook.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bedplate/operations/paging/list.h"
#include "bedplate/surfaces/rest/route.h"
#include "guestbook_migrations.h"  // made by bedplate_embed()

namespace guestbook {

namespace api = bedplate::api;
namespace sql = bedplate::sql;
using bedplate::Async;
using bedplate::ok;

constexpr api::ErrorCode kEntryNotFound{bedplate::Category::not_found, "entry_not_found",
                                        "There is no such entry."};
// IDs sort by the time at which they are made, so the primary key is an index for the default order.
constexpr api::Sorts<Entry> kSorts("-signed_at",
                                   api::sort<&Entry::signed_at>(api::ordered_as<&Entry::id>, api::indexed),
                                   api::sort<&Entry::name>());

Async<Entry> Guestbook::sign(sql::Transaction& db, const api::New<Entry>& input) const {
  Entry entry = input.make();
  entry.id = bedplate::new_id<EntryId>();
  entry.signed_at = clock_.now();
  co_await ok(
      db.run("INSERT INTO entries (id, name, message, homepage, signed_at) VALUES ($1, $2, $3, $4, $5)",
             entry.id, entry.name, entry.message, entry.homepage, entry.signed_at));
  co_return entry;
}

Async<Entry> Guestbook::find(sql::Reader& db, const api::Ref<Entry>& input) const {
  std::optional<Entry> entry = co_await ok(
      db.maybe<Entry>("SELECT id, name, message, homepage, signed_at FROM entries WHERE id = $1", input->id));
  if (!entry) co_return api::fail(kEntryNotFound);
  co_return std::move(*entry);
}

Async<api::Page<Entry>> Guestbook::list(sql::Reader& db, const api::PageQuery& input) const {
  return api::list_page<Entry>(db, "SELECT id, name, message, homepage, signed_at FROM entries", input,
                               kSorts);
}

static api::Api guestbook_api(Guestbook& book) {
  using namespace bedplate::api;
  return Api("guestbook", "Leave a line, read what others left.")
      .command<&Guestbook::sign>("sign", book, post("/v1/entries"), open_to_all(),
                                 creates("/v1/entries/{id}"), summary("Sign the book"))
      .query<&Guestbook::find>("find", book, get("/v1/entries/{id}"), open_to_all(), summary("Read an entry"),
                               fails_with(kEntryNotFound))
      .query<&Guestbook::list>("list", book, get("/v1/entries"), open_to_all(), summary("List the entries"),
                               sorts_by(kSorts));
}

void add_to(bedplate::app::Application& app) {
  app.migrations("guestbook", guestbook_migrations());
  app.wire([](bedplate::app::Host& host) {
    auto& book = host.make<Guestbook>(host.clock());
    host.serve(guestbook_api(book));
  });
}

}  // namespace guestbook
