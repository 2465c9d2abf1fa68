// SPDX-License-Identifier: Apache-2.0
#include "guestbook.h"

#include "bedplate/operations/input.h"
#include "bedplate/operations/paging/list.h"
#include "bedplate/sql/table.h"
#include "guestbook_migrations.h"  // made by bedplate_embed()

namespace guestbook {

using namespace bedplate;

constexpr sql::Table<Entry> kEntries("entries", sql::key<&Entry::id>);
constexpr ErrorCode kEntryNotFound{Category::not_found, "entry_not_found", "There is no such entry."};
// IDs sort by the time at which they are made, so the primary key is an index for the default order.
constexpr api::Sorts<Entry> kSorts("-signed_at",
                                   api::sort<&Entry::signed_at>(api::ordered_as<&Entry::id>, api::indexed),
                                   api::sort<&Entry::name>());

/// The operations. One object serves all threads.
class Guestbook {
 public:
  explicit Guestbook(const Clock& clock) : clock_(clock) {}

  Async<Entry> sign(sql::Transaction& db, const api::New<Entry>& input) const {
    Entry entry = input.make();
    entry.id = new_id<EntryId>();
    entry.signed_at = clock_.now();
    co_await ok(kEntries.insert(db, entry));
    co_return entry;
  }

  Async<Entry> find(sql::Reader& db, const api::Ref<Entry>& input) const {
    Entry entry = co_await ok(kEntries.find_or(kEntryNotFound, db, input->id));
    co_return entry;
  }

  Async<api::Page<Entry>> list(sql::Reader& db, const api::PageQuery& input) const {
    return api::list_page<Entry>(db, kEntries.select_all(), input, kSorts);
  }

 private:
  const Clock& clock_;
};

app::Module guestbook_module() {
  using namespace api;
  return app::Module("guestbook", "Leave a line, read what others left.")
      .migrations(guestbook_migrations())
      .tables({&kEntries})
      .service<Guestbook>()
      .command<&Guestbook::sign>("sign", post("/v1/entries"), open_to_all(), creates("/v1/entries/{id}"),
                                 summary("Sign the book"))
      .query<&Guestbook::find>("find", get("/v1/entries/{id}"), open_to_all(), summary("Read an entry"),
                               fails_with(kEntryNotFound))
      .query<&Guestbook::list>("list", get("/v1/entries"), open_to_all(), summary("List the entries"),
                               sorts_by(kSorts));
}

}  // namespace guestbook
