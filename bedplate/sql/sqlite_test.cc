#include "bedplate/sql/sqlite.h"

#include <gtest/gtest.h>

#include "bedplate/sql/database.h"
#include "bedplate/sql/sql_test_kit.h"

namespace bedplate::sql {
namespace {

enum class Status { todo, done };
consteval auto describe(Status) {
  using namespace bedplate::schema;
  return values<Status::todo, Status::done>("How far it is");
}

struct Note;
using NoteId = Id<Note>;
struct Note {
  NoteId id;
  std::string title;
  Status status = Status::todo;
  std::optional<Time> due_at;
  std::vector<std::string> labels;

  bool operator==(const Note&) const = default;
  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Note>("A note", {
                                      field<&Note::id>(),
                                      field<&Note::title>(),
                                      field<&Note::status>(),
                                      field<&Note::due_at>(),
                                      field<&Note::labels>(),
                                  });
  }
};

constexpr const char* kSchema =
    "CREATE TABLE notes (id BLOB PRIMARY KEY, title TEXT NOT NULL UNIQUE, status TEXT NOT NULL, due_at "
    "INTEGER, "
    "labels TEXT NOT NULL, CHECK (length(title) < 100)) WITHOUT ROWID;"
    "CREATE TABLE lines (note BLOB NOT NULL REFERENCES notes (id), text TEXT NOT NULL);";

struct Store {
  Async<void> insert(Transaction& tx, const Note& note) {
    co_await ok(tx.run("INSERT INTO notes (id, title, status, due_at, labels) VALUES ($1, $2, $3, $4, $5)",
                       note.id, note.title, note.status, note.due_at, note.labels));
  }
  Async<Note> find(Reader& db, NoteId id) {
    Note note =
        co_await ok(db.one<Note>("SELECT id, title, status, due_at, labels FROM notes WHERE id = $1", id));
    co_return note;
  }
  Async<std::int64_t> count(Reader& db) {
    const std::int64_t n = co_await ok(db.value<std::int64_t>("SELECT count(*) FROM notes"));
    co_return n;
  }
  Async<std::int64_t> rename(Transaction& tx, NoteId id, std::string_view title) {
    const std::int64_t n = co_await ok(tx.run("UPDATE notes SET title = $2 WHERE id = $1", id, title));
    co_return n;
  }
};

class SqliteTest : public testing::Test, public SqliteKit {
 protected:
  SqliteTest() : SqliteKit(kSchema) {}
  Store store_;
};

Note a_note(std::string title) {
  Note note;
  note.id = new_id<NoteId>();
  note.title = std::move(title);
  return note;
}

TEST_F(SqliteTest, RowsComeBackAsTheyWere) {
  Note note = a_note("Fix the flaky \"reconnect\" test");
  note.status = Status::done;
  note.due_at = Time(std::chrono::microseconds(1'700'000'000'123'456));
  note.labels = {"net", "ümlaut"};
  ASSERT_TRUE(run(database().transact(&Store::insert, store_, note)));
  Result<Note> found = run(database().read(&Store::find, store_, note.id));
  ASSERT_TRUE(found) << found.error().detail();
  EXPECT_EQ(*found, note);
}

}  // namespace
}  // namespace bedplate::sql
