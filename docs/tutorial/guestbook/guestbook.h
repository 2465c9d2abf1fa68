// SPDX-License-Identifier: Apache-2.0
// A guestbook: visitors leave a line, and everybody can read them.
#pragma once

#include <optional>
#include <string>

#include "bedplate/app/module.h"
#include "bedplate/base/id.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/describe.h"

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
            field<&Entry::id>(key, read_only, "Names the entry."),
            field<&Entry::name>(length{1, 40}, not_blank, example("Ada"), "Who signed."),
            field<&Entry::message>(length{1, 500}, not_blank, example("What a place!"), "What they wrote."),
            field<&Entry::homepage>(format::web_url, "Where to find them."),
            field<&Entry::signed_at>(read_only, "When they signed."),
        });
  }
};

/// The service as a program takes it: main() and the tests do.
bedplate::app::Module guestbook_module();

}  // namespace guestbook
