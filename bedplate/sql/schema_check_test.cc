// SPDX-License-Identifier: Apache-2.0
// The comparison of descriptions with catalogues, and the migrations that are drafted from it, on both engines.
#include "bedplate/sql/schema_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "bedplate/sql/migration_draft.h"
#include "bedplate/sql/migration_words.h"
#include "bedplate/sql/table.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::sql {
namespace {

using ::testing::ElementsAre;
using testing::EngineKit;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

enum class Color { red, blue };
consteval auto describe(Color) {
  return schema::values<Color::red, Color::blue>("A color");
}

using NoteId = Id<struct NoteTag>;

struct Note {
  NoteId id;
  std::string title;
  Color color = Color::blue;
  std::optional<Time> due_at;
  std::vector<std::string> labels;
  bool open = true;
  double weight = 0.5;
  NoteId parent;
  Time created_at{};
  std::int64_t version = 1;

  static consteval auto describe() {
    using namespace schema;
    return object<Note>(
        "A note", {field<&Note::id>(), field<&Note::title>(), field<&Note::color>(), field<&Note::due_at>(),
                   field<&Note::labels>(), field<&Note::open>(), field<&Note::weight>(),
                   field<&Note::parent>(), field<&Note::created_at>(), field<&Note::version>()});
  }
};
struct Tag {
  std::int64_t number = 0;
  std::string name;

  static consteval auto describe() {
    using namespace schema;
    return object<Tag>("A tag", {field<&Tag::number>(), field<&Tag::name>()});
  }
};

constexpr Table<Note> kNotes("notes", owner, key<&Note::id>, version<&Note::version>,
                             computed("title_key", [](const Note& note) { return note.title; }),
                             index("notes_by_title", "owner, title_key, id"));
constexpr Table<Tag> kTags("tags", key<&Tag::number>, given_by_database<&Tag::number>,
                           unique_index("tags_by_name", "name"));
constexpr const TableInfo* kTables[] = {&kNotes, &kTags};

constexpr std::string_view kWhole = R"(
CREATE TABLE notes (
  owner {uuid} NOT NULL, id {uuid} NOT NULL, title {text} NOT NULL, color {text} NOT NULL, due_at {time},
  labels {json} NOT NULL, open {bool} NOT NULL, weight {real} NOT NULL, parent {uuid} NOT NULL,
  created_at {time} NOT NULL, version {integer} NOT NULL, title_key {text} NOT NULL, PRIMARY KEY (owner, id)
){clustered};
CREATE INDEX notes_by_title ON notes (owner, title_key, id);
CREATE TABLE tags (number {identity}, name {text} NOT NULL){strict};
CREATE UNIQUE INDEX tags_by_name ON tags (name);
)";

class SchemaCheckTest : public ::testing::TestWithParam<Dialect> {
 protected:
  std::string expand(std::string_view text) const { return expand_migration_words(text, GetParam()).value(); }

  std::vector<std::string> findings(EngineKit& kit) {
    std::vector<std::string> texts;
    for (const SchemaFinding& finding : kit.get(kit.database().read(&check))) texts.push_back(finding.text());
    return texts;
  }
  static Async<std::vector<SchemaFinding>> check(Reader& db) { return check_tables(db, kTables); }
  static Async<MigrationDraft> draft(Reader& db) { return draft_migration(db, kTables); }

  bool sqlite() const { return GetParam() == Dialect::sqlite; }
};

TEST_P(SchemaCheckTest, ATableAsDescribedHasNoFindings) {
  EngineKit kit(GetParam(), expand(kWhole));
  EXPECT_THAT(findings(kit), IsEmpty());
}

TEST_P(SchemaCheckTest, EachDifferenceIsNamed) {
  EngineKit kit(GetParam(), expand(R"(
CREATE TABLE notes (
  owner {uuid} NOT NULL, id {uuid} NOT NULL, title {integer} NOT NULL, color {text}, due_at {time} NOT NULL,
  labels {json} NOT NULL, open {bool} NOT NULL, weight {real} NOT NULL, created_at {time} NOT NULL,
  version {integer} NOT NULL, title_key {text} NOT NULL, extra {time}, PRIMARY KEY (id)
){clustered};
CREATE INDEX notes_by_title ON notes (title_key);
)"));
  const std::string text = sqlite() ? "TEXT" : "text";
  const std::string integer = sqlite() ? "INTEGER" : "bigint";
  const std::string time = sqlite() ? "INTEGER" : "timestamptz";
  const std::string time_found = sqlite() ? "INTEGER" : "timestamp with time zone";
  const std::string uuid = sqlite() ? "BLOB" : "uuid";
  EXPECT_THAT(
      findings(kit),
      ElementsAre(
          "table notes, column title: expected " + text + " NOT NULL, found " + integer + " NOT NULL",
          "table notes, column color: expected " + text + " NOT NULL, found " + text,
          "table notes, column due_at: expected " + time + ", found " + time_found + " NOT NULL",
          "table notes, column parent: expected " + uuid + " NOT NULL, found nothing",
          "table notes, column extra: expected nothing, found " + time_found,
          "table notes: expected PRIMARY KEY (owner, id), found PRIMARY KEY (id)",
          "table notes, index notes_by_title: expected INDEX (owner, title_key, id), found INDEX (title_key)",
          "table tags: it does not exist"));
}

// What is drafted on an empty SQLite database makes the described tables on each engine, and its other half takes them
// back.
TEST_P(SchemaCheckTest, ADraftMakesWhatIsDescribed) {
  EngineKit scratch(Dialect::sqlite, "");
  const MigrationDraft written = scratch.get(scratch.database().read(&draft));
  EngineKit kit(GetParam(), expand(written.up));
  EXPECT_THAT(findings(kit), IsEmpty()) << written.up;
  kit.script(expand(written.down));
  EXPECT_THAT(findings(kit), ElementsAre("table notes: it does not exist", "table tags: it does not exist"));
}

constexpr std::string_view kOlder = R"(
CREATE TABLE notes (
  owner {uuid} NOT NULL, id {uuid} NOT NULL, heading {text} NOT NULL, labels {json} NOT NULL,
  created_at {time} NOT NULL, version {integer} NOT NULL, PRIMARY KEY (owner, id)
){clustered};
CREATE TABLE tags (number {identity}, name {text} NOT NULL){strict};
INSERT INTO notes VALUES ({uuid:019aa5b8-3c00-7d2e-9c44-0a6b3f1d2e5c}, {uuid:019aa5b8-3c00-7d2e-9c44-0a6b3f1d2e5d},
                          'Milk', '[]', {time:2030-01-31T00:00:00Z}, 1);
)";

TEST_P(SchemaCheckTest, ADraftAddsColumnsAndIndexesToRowsThatAreThere) {
  EngineKit scratch(Dialect::sqlite, expand_migration_words(kOlder, Dialect::sqlite).value());
  const MigrationDraft written = scratch.get(scratch.database().read(&draft));
  EXPECT_THAT(written.up,
              HasSubstr("-- ALTER TABLE notes RENAME COLUMN heading TO title;   in place of the next"));
  EXPECT_THAT(written.up,
              HasSubstr("\nALTER TABLE notes ADD COLUMN color {text} NOT NULL DEFAULT 'blue';\n"));
  EXPECT_THAT(written.up, HasSubstr("ALTER TABLE notes ADD COLUMN due_at {time};\n"));
  EXPECT_THAT(written.up, HasSubstr("-- ALTER TABLE notes DROP COLUMN heading;"));
  EXPECT_THAT(written.up, HasSubstr("CREATE UNIQUE INDEX tags_by_name ON tags (name);\n"));

  EngineKit kit(GetParam(), expand(kOlder) + expand(written.up));
  const std::string text = sqlite() ? "TEXT" : "text";
  EXPECT_THAT(findings(kit),
              ElementsAre("table notes, column heading: expected nothing, found " + text + " NOT NULL"))
      << written.up;
  const auto read = +[](Reader& db) -> Async<Note> {
    Note note = co_await ok(db.one<Note>(kNotes.select_all()));
    co_return note;
  };
  const Note note = kit.get(kit.database().read(read));
  EXPECT_EQ(note.color, Color::blue);
  EXPECT_TRUE(note.open);
  EXPECT_EQ(note.weight, 0.5);
  kit.script(expand(written.down));
  EXPECT_THAT(findings(kit), ::testing::SizeIs(10));
}

TEST_P(SchemaCheckTest, WithNothingChangedThereIsNothingToWrite) {
  EngineKit kit(Dialect::sqlite, expand_migration_words(kWhole, Dialect::sqlite).value());
  EXPECT_TRUE(kit.get(kit.database().read(&draft)).empty());
}

INSTANTIATE_TEST_SUITE_P(, SchemaCheckTest, testing::every_dialect(), testing::dialect_name);

}  // namespace
}  // namespace bedplate::sql
