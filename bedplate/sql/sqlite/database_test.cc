#include "bedplate/sql/sqlite.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bedplate/describe/describe.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/open.h"
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

// ---- statements

TEST_F(SqliteTest, ParametersGoByTheirNumberNotByTheirPlace) {
  Note note = a_note("old");
  ASSERT_TRUE(run(database().transact(&Store::insert, store_, note)));
  Result<std::int64_t> changed =
      run(database().transact(&Store::rename, store_, note.id, std::string_view("new")));
  EXPECT_EQ(get(std::move(changed)), 1);
  EXPECT_EQ(run(database().read(&Store::find, store_, note.id))->title, "new");
}

Async<std::string> concatenated(Reader& db, Params& params, std::string_view sql) {
  const std::string text = co_await ok(db.value<std::string>(sql, params));
  co_return text;
}

TEST_F(SqliteTest, AParameterMayBeUsedTwiceAndListsMayGrow) {
  Params params;
  std::string sql = "SELECT " + params.add(std::string("a"));
  sql += " || " + params.add("b") + " || $1";
  sql += " || " + params.add(Status::done);
  sql += " || coalesce(" + params.add(std::nullopt) + ", 'null')";
  EXPECT_EQ(get(run(database().read(&concatenated, params, sql))), "abadonenull");
}

TEST_F(SqliteTest, AStatementThatCannotBeUsedIsTheProgramsFault) {
  Params one;
  one.add(1);
  for (const char* sql : {"SELECT ?", "SELECT :name", "SELECT $2", "SELECT 1", "SELECT $1; SELECT 2", "",
                          "SELEC", "SELECT $1, 2", "BEGIN", "COMMIT", "SAVEPOINT x", "ATTACH 'x' AS y",
                          "PRAGMA synchronous=OFF", "SELECT \"no such column\" || $1"}) {
    Result<std::string> r = run(database().read(&concatenated, one, std::string_view(sql)));
    ASSERT_FALSE(r) << sql;
    EXPECT_EQ(r.error().category(), Category::internal) << sql;
    EXPECT_EQ(r.error().code(), kSqlError) << sql;
    EXPECT_EQ(r.error().detail(), "The server met an unexpected fault.");
  }
}

Async<std::optional<Note>> maybe_find(Reader& db, NoteId id) {
  std::optional<Note> note =
      co_await ok(db.maybe<Note>("SELECT id, title, status, due_at, labels FROM notes WHERE id = $1", id));
  co_return note;
}

TEST_F(SqliteTest, NoRowIsNothingOrAnError) {
  EXPECT_FALSE(run(database().read(&maybe_find, new_id<NoteId>()))->has_value());
  Result<Note> found = run(database().read(&Store::find, store_, new_id<NoteId>()));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), kRowNotFound);
  EXPECT_EQ(found.error().category(), Category::not_found);
}

Async<std::vector<std::int64_t>> numbers(Reader& db, std::int64_t n) {
  auto rows = co_await ok(db.all<std::int64_t>(
      "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < $1) SELECT x FROM c", n));
  co_return rows;
}

TEST_F(SqliteTest, AllRowsUpToALimit) {
  SqliteOptions options;
  options.rows_max = 100;
  open(options);
  EXPECT_EQ(run(database().read(&numbers, 100))->size(), 100u);
  Result<std::vector<std::int64_t>> more = run(database().read(&numbers, 101));
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code(), kTooManyRows);
}

TEST_F(SqliteTest, StatementsBeyondTheCacheStillWork) {
  SqliteOptions options;
  options.statements_max = 3;
  open(options);
  for (int round = 0; round < 3; ++round)
    for (int i = 0; i < 10; ++i) {
      Params params;
      const std::string sql = "SELECT " + params.add("x") + " || '" + std::to_string(i) + "'";
      EXPECT_EQ(get(run(database().read(&concatenated, params, sql))), "x" + std::to_string(i));
    }
}

Async<Note> find_all_columns(Reader& db) {
  Note note = co_await ok(db.one<Note>("SELECT * FROM notes"));
  co_return note;
}

TEST_F(SqliteTest, ASchemaThatChangesUnderAStatementIsNoticed) {
  Note note = a_note("x");
  ASSERT_TRUE(run(database().transact(&Store::insert, store_, note)));
  EXPECT_EQ(get(run(database().read(&find_all_columns))), note);
  script("ALTER TABLE notes ADD COLUMN extra TEXT");
  Result<Note> found = run(database().read(&find_all_columns));
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().subject().find("extra"), std::string::npos) << found.error().subject();
  script("ALTER TABLE notes DROP COLUMN extra; CREATE INDEX by_status ON notes (status)");
  EXPECT_EQ(get(run(database().read(&find_all_columns))), note);
}

TEST_F(SqliteTest, FullTextSearchKeptByTriggersWorks) {
  script(
      "CREATE VIRTUAL TABLE found USING fts5(title, content='');"
      "CREATE TABLE texts (id INTEGER PRIMARY KEY, title TEXT NOT NULL);"
      "CREATE TRIGGER texts_found AFTER INSERT ON texts BEGIN"
      "  INSERT INTO found (rowid, title) VALUES (new.id, new.title); END;");
  struct Ops {
    static Async<void> add(Transaction& tx) {
      co_await ok(tx.run("INSERT INTO texts (title) VALUES ($1)", "the quick brown fox"));
    }
    static Async<std::int64_t> find(Reader& db, std::string_view words) {
      const std::int64_t n =
          co_await ok(db.value<std::int64_t>("SELECT count(*) FROM found WHERE found MATCH $1", words));
      co_return n;
    }
  };
  Result<void> added = run(database().transact(&Ops::add));
  ASSERT_TRUE(added) << added.error().subject();
  EXPECT_EQ(get(run(database().read(&Ops::find, std::string_view("quick fox")))), 1);
}

// ---- violations

Async<void> insert_line(Transaction& tx, NoteId note, std::optional<std::string_view> text) {
  co_await ok(tx.run("INSERT INTO lines (note, text) VALUES ($1, $2)", note, text));
}

TEST_F(SqliteTest, ViolationsSayWhichConstraintToCodeAndNoValuesToClients) {
  Note note = a_note("hunter2");
  ASSERT_TRUE(run(database().transact(&Store::insert, store_, note)));
  Note twin = a_note("hunter2");
  Result<void> taken = run(database().transact(&Store::insert, store_, twin));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().category(), Category::conflict);
  EXPECT_TRUE(violates(taken.error(), kUniqueViolation, "notes.title")) << taken.error().subject();
  EXPECT_EQ(taken.error().detail().find("hunter2"), std::string::npos);
  EXPECT_EQ(taken.error().detail().find("notes"), std::string::npos);

  Result<void> again = run(database().transact(&Store::insert, store_, note));
  EXPECT_EQ(again.error().code(), kUniqueViolation);

  Result<void> orphan =
      run(database().transact(&insert_line, new_id<NoteId>(), std::optional<std::string_view>("x")));
  EXPECT_EQ(orphan.error().code(), kForeignKeyViolation);
  EXPECT_EQ(orphan.error().category(), Category::conflict);

  Result<void> missing = run(database().transact(&insert_line, note.id, std::optional<std::string_view>()));
  EXPECT_TRUE(violates(missing.error(), kNotNullViolation, "lines.text")) << missing.error().subject();
  EXPECT_EQ(missing.error().category(), Category::invalid);

  Result<void> unfit = run(database().transact(&Store::insert, store_, a_note(std::string(200, 'x'))));
  EXPECT_EQ(unfit.error().code(), kCheckViolation);
}

TEST_F(SqliteTest, AValueThatIsTooLargeIsRefused) {
  SqliteOptions options;
  options.value_size_max_bytes = 1000;
  open(options);
  Result<void> r = run(database().transact(&Store::insert, store_, a_note(std::string(5000, 'x'))));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code(), kValueTooLarge);
  EXPECT_EQ(r.error().category(), Category::too_large);
  EXPECT_TRUE(run(database().transact(&Store::insert, store_, a_note("small"))));
}

// ---- transactions

Async<void> insert_then_fail(Transaction& tx, Store& store, const Note& note) {
  co_await ok(store.insert(tx, note));
  co_await fail(Category::conflict, "no", "No.");
}
Async<void> insert_then_refuse(Transaction& tx, Store& store, const Note& note) {
  co_await ok(store.insert(tx, note));
  co_await refuse_and_commit(Error(Category::forbidden, "revoked", "Revoked."));
}
Async<void> go_on_after_a_failure(Transaction& tx, Store& store, const Note& note) {
  co_await ok(store.insert(tx, note));
  Result<void> twice = co_await store.insert(tx, note);
  Result<std::int64_t> later = co_await tx.run("DELETE FROM notes");
  if (!twice && !later && later.error().code() == kTransactionFailed) co_return;
  co_await fail(Category::internal, "unexpected", "Unexpected.");
}
Async<void> write_through_a_reader(Reader& db) {
  co_await ok(db.maybe<std::int64_t>("DELETE FROM notes RETURNING 1"));
}

TEST_F(SqliteTest, AFailureRollsBackAndARefusalMayKeepItsWrites) {
  EXPECT_EQ(run(database().transact(&insert_then_fail, store_, a_note("a"))).error().code(), "no");
  EXPECT_EQ(get(run(database().read(&Store::count, store_))), 0);
  EXPECT_EQ(run(database().transact(&insert_then_refuse, store_, a_note("b"))).error().code(), "revoked");
  EXPECT_EQ(get(run(database().read(&Store::count, store_))), 1);
}

TEST_F(SqliteTest, ATransactionDoesNotSurviveAFailedStatement) {
  Result<void> r = run(database().transact(&go_on_after_a_failure, store_, a_note("a")));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code(), kTransactionFailed);
  EXPECT_EQ(get(run(database().read(&Store::count, store_))), 0);
}

TEST_F(SqliteTest, AReaderDoesNotWrite) {
  ASSERT_TRUE(run(database().transact(&Store::insert, store_, a_note("a"))));
  EXPECT_EQ(run(database().read(&write_through_a_reader)).error().code(), kReadOnly);
  EXPECT_EQ(get(run(database().read(&Store::count, store_))), 1);
}

Async<std::vector<std::int64_t>> returning(Transaction& tx) {
  auto rows =
      co_await ok(tx.all<std::int64_t>("INSERT INTO notes (id, title, status, labels) VALUES (x'01', 'a', "
                                       "'todo', '[]'), (x'02', 'b', 'todo', '[]') "
                                       "RETURNING length(title)"));
  const std::int64_t first = co_await ok(tx.value<std::int64_t>(
      "INSERT INTO notes (id, title, status, labels) VALUES (x'03', 'c', 'todo', '[]'), "
      "(x'04', 'dd', 'todo', '[]') RETURNING length(title)"));
  rows.push_back(first);
  co_return rows;
}

TEST_F(SqliteTest, ReturningGivesRowsAndWritesAll) {
  EXPECT_EQ(get(run(database().transact(&returning))), (std::vector<std::int64_t>{1, 1, 1}));
  EXPECT_EQ(get(run(database().read(&Store::count, store_))), 4);
}

// ---- files

TEST_F(SqliteTest, FilesAreTheOwnersAlone) {
  ASSERT_TRUE(run(database().transact(&Store::insert, store_, a_note("a"))));
  for (const char* name : {"test.db", "test.db-wal", "test.db-shm"}) {
    struct stat info{};
    ASSERT_EQ(::stat(directory().file(name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
  }
}

TEST(SqliteOpenTest, MakesItsFolderPrivateAndSaysWhatIsWrong) {
  TempDirectory directory;
  SqliteOptions options;
  options.path = directory.file("a/b/c.db");
  ASSERT_TRUE(open_sqlite(options));
  struct stat info{};
  ASSERT_EQ(::stat(directory.file("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);

  std::ofstream(directory.file("not.db")) << std::string(5000, 'x');
  options.path = directory.file("not.db");
  Result<std::unique_ptr<Database>> opened = open_sqlite(options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().detail(), options.path + " is not a SQLite database.");
}

TEST(SqliteOpenTest, TheUrlChoosesTheDriver) {
  TempDirectory directory;
  EXPECT_TRUE(open_database("sqlite:" + directory.file("x.db"), {}));
  EXPECT_TRUE(open_database("sqlite://" + directory.file("y.db"), {}));
  EXPECT_EQ(open_database("mysql://localhost", {}).error().code(), "database_url");
  EXPECT_EQ(open_database("sqlite:", {}).error().code(), "database_url");
}

TEST_F(SqliteTest, WorkAfterClosingIsTurnedAway) {
  database().close();
  EXPECT_EQ(run(database().transact(&Store::insert, store_, a_note("a"))).error().code(), kDatabaseClosed);
  EXPECT_EQ(run(database().read(&Store::count, store_)).error().code(), kDatabaseClosed);
}

}  // namespace
}  // namespace bedplate::sql
