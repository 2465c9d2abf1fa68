// SPDX-License-Identifier: Apache-2.0
// Notes whose table has changed once: see docs/guides/second-migration.md.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "bedplate/app/application.h"
#include "bedplate/base/embedded.h"
#include "bedplate/base/id.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/describe.h"
#include "bedplate/sql/table.h"

namespace notebook {

enum class Color { yellow, blue };
consteval auto describe(Color) {
  return bedplate::schema::values<Color::yellow, Color::blue>("The paper of a note.");
}

struct Note {
  bedplate::Id<Note> id;
  std::string text;
  bedplate::Time created_at{};
  std::optional<bedplate::Time> due_at;
  Color color = Color::yellow;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Note>("A note.", {
                                       field<&Note::id>("Names the note."),
                                       field<&Note::text>(length{1, 1'000}, "What it says."),
                                       field<&Note::created_at>("When it was made."),
                                       field<&Note::due_at>("When it is due."),
                                       field<&Note::color>("The paper that it is on."),
                                   });
  }
};

inline constexpr bedplate::sql::Table<Note> kNotes("notes", bedplate::sql::key<&Note::id>,
                                                   bedplate::sql::index("notes_by_due_date", "due_at, id"));
inline constexpr bedplate::sql::Named kDue(
    "notes.due",
    "SELECT id, text, created_at, due_at, color FROM notes WHERE due_at < $1 ORDER BY due_at, id LIMIT 100");

std::span<const bedplate::EmbeddedFile> migrations();

/// Adds the notebook to a program. `files` are its migrations: all of them, but in a test of how they came to be.
void add_to(bedplate::app::Application& app, std::span<const bedplate::EmbeddedFile> files = migrations());

}  // namespace notebook
