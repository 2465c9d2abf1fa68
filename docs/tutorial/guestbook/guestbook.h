// SPDX-License-Identifier: Apache-2.0
// A guestbook: visitors leave a line, and everybody can read them.
#pragma once

#include <optional>
#include <string>

#include "bedplate/app/application.h"
#include "bedplate/base/id.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/describe.h"
#include "bedplate/operations/api.h"
#include "bedplate/sql/session.h"

namespace guestbook {

using EntryId = bedplate::Id<struct Entry>;

/// A line in the book. It is also a row of the table `entries`.
struct Entry {
  EntryId id;
  std::string name;
  std::string message;
  std::optional<std::string> homepage;
  bedplate::Time signed_at{};

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Entry>(
        "A line in the book.",
        {
            field<&Entry::id>(read_only, "Names the entry."),
            field<&Entry::name>(length{1, 40}, not_blank, example("Ada"), "Who signed."),
            field<&Entry::message>(length{1, 500}, not_blank, example("What a place!"), "What they wrote."),
            field<&Entry::homepage>(format::web_url, "Where to find them."),
            field<&Entry::signed_at>(read_only, "When they signed."),
        });
  }
};

/// What a visitor sends. The rules are those of Entry.
struct NewEntry {
  std::string name;
  std::string message;
  std::optional<std::string> homepage;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<NewEntry>("A line to write.", {
                                                    field<&NewEntry::name>(same_as<&Entry::name>),
                                                    field<&NewEntry::message>(same_as<&Entry::message>),
                                                    field<&NewEntry::homepage>(same_as<&Entry::homepage>),
                                                });
  }
};

struct EntryRef {
  EntryId id;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<EntryRef>("Names an entry.", {field<&EntryRef::id>("The entry.")});
  }
};

/// The operations. One object serves all threads.
class Guestbook {
 public:
  explicit Guestbook(const bedplate::Clock& clock) : clock_(clock) {}

  bedplate::Async<Entry> sign(bedplate::sql::Transaction& db, const NewEntry& input) const;
  bedplate::Async<Entry> find(bedplate::sql::Reader& db, const EntryRef& input) const;
  bedplate::Async<bedplate::api::Page<Entry>> list(bedplate::sql::Reader& db,
                                                   const bedplate::api::PageQuery& input) const;

 private:
  const bedplate::Clock& clock_;
};

/// Adds the guestbook to a program: main() and the tests do.
void add_to(bedplate::app::Application& app);

}  // namespace guestbook
