// SPDX-License-Identifier: Apache-2.0
// What every driver gives alike, first part: values, statements, errors. Run against the real engines.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bedplate/describe/describe.h"
#include "bedplate/sql/database.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::sql {
namespace {

using bedplate::testing::dialect_name;
using bedplate::testing::EngineKit;
using bedplate::testing::every_dialect;

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

/// One of each type.
struct Sample {
  std::int64_t id = 0;
  std::optional<bool> yes;
  std::optional<std::int64_t> whole;
  std::optional<std::int32_t> small;
  std::optional<double> real;
  std::optional<std::string> text;
  std::optional<Uuid> uuid;
  std::optional<Time> at;
  std::optional<std::vector<std::int64_t>> list;

  bool operator==(const Sample&) const = default;
  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Sample>("One of each", {
                                             field<&Sample::id>(),
                                             field<&Sample::yes>(),
                                             field<&Sample::whole>(),
                                             field<&Sample::small>(),
                                             field<&Sample::real>(),
                                             field<&Sample::text>(),
                                             field<&Sample::uuid>(),
                                             field<&Sample::at>(),
                                             field<&Sample::list>(),
                                         });
  }
};

std::string schema_of(Dialect dialect) {
  if (dialect == Dialect::sqlite)
    return "CREATE TABLE notes (id BLOB PRIMARY KEY, title TEXT NOT NULL UNIQUE, status TEXT NOT NULL, "
           "due_at INTEGER, labels TEXT NOT NULL, CHECK (length(title) < 100)) WITHOUT ROWID;"
           "CREATE TABLE lines (note BLOB NOT NULL REFERENCES notes (id), text TEXT NOT NULL);"
           "CREATE TABLE orders (shop INTEGER NOT NULL, number INTEGER NOT NULL, UNIQUE (shop, number));"
           "CREATE TABLE samples (id INTEGER PRIMARY KEY, yes INTEGER, whole INTEGER, small INTEGER, "
           "real REAL, text TEXT, uuid BLOB, at INTEGER, list TEXT);"
           "CREATE TABLE bytes (id INTEGER PRIMARY KEY, data BLOB NOT NULL);";
  return "CREATE TABLE notes (id uuid PRIMARY KEY, title text NOT NULL UNIQUE, status text NOT NULL, "
         "due_at timestamptz, labels jsonb NOT NULL, CHECK (length(title) < 100));"
         "CREATE TABLE lines (note uuid NOT NULL REFERENCES notes (id), text text NOT NULL);"
         "CREATE TABLE orders (shop bigint NOT NULL, number bigint NOT NULL, UNIQUE (shop, number));"
         "CREATE TABLE samples (id bigint PRIMARY KEY, yes boolean, whole bigint, small int, "
         "real double precision, text text, uuid uuid, at timestamptz, list jsonb);"
         "CREATE TABLE bytes (id bigint PRIMARY KEY, data bytea NOT NULL);";
}

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

class Conformance : public ::testing::TestWithParam<Dialect> {
 protected:
  EngineKit& kit(DatabaseOptions options = {}) {
    return kit_.emplace(GetParam(), schema_of(GetParam()), std::move(options));
  }
  Store store_;

 private:
  std::optional<EngineKit> kit_;
};
INSTANTIATE_TEST_SUITE_P(Engine, Conformance, every_dialect(), dialect_name);

Note a_note(std::string title) {
  Note note;
  note.id = new_id<NoteId>();
  note.title = std::move(title);
  return note;
}

// ---- values

TEST_P(Conformance, RowsComeBackAsTheyWere) {
  EngineKit& on = kit();
  Note note = a_note("Fix the flaky \"reconnect\" test");
  note.status = Status::done;
  note.due_at = Time(std::chrono::microseconds(1'700'000'000'123'456));
  note.labels = {"net", "ümlaut"};
  on.get(on.database().transact(&Store::insert, store_, note));
  EXPECT_EQ(on.get(on.database().read(&Store::find, store_, note.id)), note);
}

Async<Sample> keep_sample(Transaction& tx, const Sample& sample) {
  Sample kept =
      co_await ok(tx.one<Sample>("INSERT INTO samples (id, yes, whole, small, real, text, uuid, at, list) "
                                 "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
                                 "RETURNING id, yes, whole, small, real, text, uuid, at, list",
                                 sample.id, sample.yes, sample.whole, sample.small, sample.real, sample.text,
                                 sample.uuid, sample.at, sample.list));
  co_return kept;
}

TEST_P(Conformance, EveryTypeAtItsEnds) {
  EngineKit& on = kit();
  using Int64 = std::numeric_limits<std::int64_t>;
  using Int32 = std::numeric_limits<std::int32_t>;
  Sample low;
  low.id = 1;
  low.yes = false;
  low.whole = Int64::min();
  low.small = Int32::min();
  low.real = -std::numeric_limits<double>::max();
  low.text = "";
  low.uuid = Uuid();
  low.at = Time(std::chrono::microseconds(-62'135'596'800'000'000));  // the year 1
  low.list.emplace();
  Sample high;
  high.id = Int64::max();
  high.yes = true;
  high.whole = Int64::max();
  high.small = Int32::max();
  high.real = std::numeric_limits<double>::denorm_min();
  high.text = "\x01 ' \" \\ $1 \xF0\x9F\x98\x80 \xC3\xA9";
  high.uuid = new_uuid();
  high.at = Time(std::chrono::microseconds(253'402'300'799'999'999));  // the last of the year 9999
  high.list = std::vector<std::int64_t>{1, -2, 3};
  Sample none;
  none.id = 2;
  for (const Sample& sample : {low, high, none})
    EXPECT_EQ(on.get(on.database().transact(&keep_sample, sample)), sample);
}

Async<std::int64_t> find_null(Reader& db, const std::optional<std::int64_t>& whole) {
  const std::int64_t n = co_await ok(db.value<std::int64_t>(
      "SELECT count(*) FROM samples WHERE whole = $1 OR $1 IS NULL AND whole IS NULL", whole));
  co_return n;
}

TEST_P(Conformance, TheSameStatementTakesAValueAndNull) {
  EngineKit& on = kit();
  Sample sample;
  on.get(on.database().transact(&keep_sample, sample));
  EXPECT_EQ(on.get(on.database().read(&find_null, std::optional<std::int64_t>(7))), 0);
  EXPECT_EQ(on.get(on.database().read(&find_null, std::optional<std::int64_t>())), 1);
}

Async<std::string> bytes_back(Transaction& tx, const std::vector<std::byte>& data) {
  co_await ok(tx.run("INSERT INTO bytes (id, data) VALUES (1, $1)", data));
  const std::int64_t size =
      co_await ok(tx.value<std::int64_t>("SELECT length(data) FROM bytes WHERE data = $1", data));
  co_return std::to_string(size);
}

TEST_P(Conformance, LargeValuesComeBackWhole) {
  EngineKit& on = kit();
  constexpr std::size_t kSize = 5 << 20;
  Sample sample;
  sample.text.emplace(kSize, 'x');
  (*sample.text)[kSize / 2] = 'y';
  const Sample kept = on.get(on.database().transact(&keep_sample, sample));
  EXPECT_TRUE(kept.text == sample.text);
  std::vector<std::byte> data(kSize);
  for (std::size_t i = 0; i < kSize; ++i) data[i] = static_cast<std::byte>(i * 7);
  EXPECT_EQ(on.get(on.database().transact(&bytes_back, data)), std::to_string(kSize));
}

TEST_P(Conformance, AValueThatIsTooLargeIsRefused) {
  DatabaseOptions options;
  options.sqlite.value_size_max_bytes = 1000;
  options.postgresql.value_size_max_bytes = 1000;
  EngineKit& on = kit(options);
  Result<void> r = on.run(on.database().transact(&Store::insert, store_, a_note(std::string(5000, 'x'))));
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code(), kValueTooLarge);
  EXPECT_EQ(r.error().category(), Category::too_large);
  EXPECT_TRUE(on.run(on.database().transact(&Store::insert, store_, a_note("small"))));
}

TEST_P(Conformance, TextIsUtf8WithoutNul) {
  EngineKit& on = kit();
  for (const std::string& text : {std::string("a\0b", 3), std::string("\0", 1), std::string("\xC3"),
                                  std::string("\xED\xA0\x80"), std::string("ab\xFF")}) {
    Result<void> r = on.run(on.database().transact(&Store::insert, store_, a_note(text)));
    ASSERT_FALSE(r) << text;
    EXPECT_EQ(r.error().code(), kTextInvalid);
    EXPECT_EQ(r.error().category(), Category::invalid);
  }
  EXPECT_EQ(on.get(on.database().read(&Store::count, store_)), 0);
}

Async<std::int64_t> sum_of(Reader& db) {
  const std::int64_t sum = co_await ok(db.value<std::int64_t>("SELECT coalesce(sum(whole), 0) FROM samples"));
  co_return sum;
}
Async<double> mean_of(Reader& db) {
  const double mean = co_await ok(db.value<double>("SELECT avg(whole) FROM samples"));
  co_return mean;
}

TEST_P(Conformance, SumsAreWholeAndMeansAreNot) {
  EngineKit& on = kit();
  EXPECT_EQ(on.get(on.database().read(&sum_of)), 0);
  for (std::int64_t whole : {-123'456'789'012LL, 7LL, 12'340'000LL}) {
    Sample sample;
    sample.id = whole;
    sample.whole = whole;
    on.get(on.database().transact(&keep_sample, sample));
  }
  EXPECT_EQ(on.get(on.database().read(&sum_of)), -123'456'789'012 + 7 + 12'340'000);
  EXPECT_NEAR(on.get(on.database().read(&mean_of)), (-123'456'789'012 + 7 + 12'340'000) / 3.0, 0.01);
}

// ---- statements

TEST_P(Conformance, ParametersGoByTheirNumberNotByTheirPlace) {
  EngineKit& on = kit();
  Note note = a_note("old");
  on.get(on.database().transact(&Store::insert, store_, note));
  EXPECT_EQ(on.get(on.database().transact(&Store::rename, store_, note.id, std::string_view("new"))), 1);
  EXPECT_EQ(on.get(on.database().read(&Store::find, store_, note.id)).title, "new");
}

Async<std::string> concatenated(Reader& db, Params& params, std::string_view sql) {
  const std::string text = co_await ok(db.value<std::string>(sql, params));
  co_return text;
}

TEST_P(Conformance, AParameterMayBeUsedTwiceAndListsMayGrow) {
  EngineKit& on = kit();
  Params params;
  std::string sql = "SELECT " + params.add(std::string("a"));
  sql += " || " + params.add("b") + " || $1";
  sql += " || " + params.add(Status::done);
  sql += " || coalesce(" + params.add(std::nullopt) + ", 'null')";
  EXPECT_EQ(on.get(on.database().read(&concatenated, params, sql)), "abadonenull");
}

TEST_P(Conformance, AStatementThatCannotBeUsedIsTheProgramsFault) {
  EngineKit& on = kit();
  Params one;
  one.add("1");
  for (const char* sql :
       {"SELECT ?", "SELECT :name", "SELECT $2", "SELECT 1", "SELECT $1; SELECT 2", "", "SELEC",
        "SELECT $1, 2", "BEGIN", "COMMIT", " -- so\n /* it */ COMMIT", "SAVEPOINT x", "ATTACH 'x' AS y",
        "PRAGMA synchronous=OFF", "SELECT \"no such column\" || $1"}) {
    Result<std::string> r = on.run(on.database().read(&concatenated, one, std::string_view(sql)));
    ASSERT_FALSE(r) << sql;
    EXPECT_EQ(r.error().category(), Category::internal) << sql;
    EXPECT_EQ(r.error().code(), kSqlError) << sql;
    EXPECT_EQ(r.error().detail(), "The server met an unexpected fault.");
  }
  EXPECT_EQ(on.get(on.database().read(&concatenated, one, std::string_view("SELECT $1 || 'x'"))), "1x");
}

Async<std::optional<Note>> maybe_find(Reader& db, NoteId id) {
  std::optional<Note> note =
      co_await ok(db.maybe<Note>("SELECT id, title, status, due_at, labels FROM notes WHERE id = $1", id));
  co_return note;
}

TEST_P(Conformance, NoRowIsNothingOrAnError) {
  EngineKit& on = kit();
  EXPECT_FALSE(on.get(on.database().read(&maybe_find, new_id<NoteId>())).has_value());
  Result<Note> found = on.run(on.database().read(&Store::find, store_, new_id<NoteId>()));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), kRowNotFound);
  EXPECT_EQ(found.error().category(), Category::not_found);
}

Async<std::vector<std::int64_t>> numbers(Reader& db, std::int64_t n) {
  auto rows = co_await ok(db.all<std::int64_t>(
      "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < $1) SELECT x FROM c", n));
  co_return rows;
}

TEST_P(Conformance, AllRowsUpToALimit) {
  DatabaseOptions options;
  options.sqlite.rows_max = options.postgresql.rows_max = 100;
  EngineKit& on = kit(options);
  EXPECT_EQ(on.get(on.database().read(&numbers, 100)).size(), 100u);
  Result<std::vector<std::int64_t>> more = on.run(on.database().read(&numbers, 101));
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code(), kTooManyRows);
}

TEST_P(Conformance, StatementsBeyondTheCacheStillWork) {
  DatabaseOptions options;
  options.sqlite.statements_max = options.postgresql.statements_max = 3;
  EngineKit& on = kit(options);
  for (int round = 0; round < 3; ++round)
    for (int i = 0; i < 10; ++i) {
      Params params;
      const std::string sql = "SELECT " + params.add("x") + " || '" + std::to_string(i) + "'";
      EXPECT_EQ(on.get(on.database().read(&concatenated, params, sql)), "x" + std::to_string(i));
    }
}

Async<Note> find_all_columns(Reader& db) {
  Note note = co_await ok(db.one<Note>("SELECT * FROM notes"));
  co_return note;
}

TEST_P(Conformance, ASchemaThatChangesUnderAStatementIsNoticed) {
  EngineKit& on = kit();
  Note note = a_note("x");
  on.get(on.database().transact(&Store::insert, store_, note));
  EXPECT_EQ(on.get(on.database().read(&find_all_columns)), note);
  on.script("ALTER TABLE notes ADD COLUMN extra TEXT");
  Result<Note> found = on.run(on.database().read(&find_all_columns));
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().subject().find("extra"), std::string::npos) << found.error().subject();
  on.script("ALTER TABLE notes DROP COLUMN extra; CREATE INDEX by_status ON notes (status)");
  EXPECT_EQ(on.get(on.database().read(&find_all_columns)), note);
}

// ---- violations

Async<void> insert_line(Transaction& tx, NoteId note, std::optional<std::string_view> text) {
  co_await ok(tx.run("INSERT INTO lines (note, text) VALUES ($1, $2)", note, text));
}
Async<void> insert_order(Transaction& tx, std::int64_t shop, std::int64_t number) {
  co_await ok(tx.run("INSERT INTO orders (shop, number) VALUES ($1, $2)", shop, number));
}
Async<void> remove_note(Transaction& tx, NoteId id) {
  co_await ok(tx.run("DELETE FROM notes WHERE id = $1", id));
}

TEST_P(Conformance, ViolationsSayWhichConstraintToCodeAndNoValuesToClients) {
  EngineKit& on = kit();
  Note note = a_note("hunter2");
  on.get(on.database().transact(&Store::insert, store_, note));
  Result<void> taken = on.run(on.database().transact(&Store::insert, store_, a_note("hunter2")));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().category(), Category::conflict);
  EXPECT_TRUE(violates(taken.error(), kUniqueViolation, "notes.title")) << taken.error().subject();
  EXPECT_EQ(taken.error().detail().find("hunter2"), std::string::npos);
  EXPECT_EQ(taken.error().detail().find("notes"), std::string::npos);

  Note same = a_note("another");
  same.id = note.id;
  Result<void> again = on.run(on.database().transact(&Store::insert, store_, same));
  EXPECT_TRUE(violates(again.error(), kUniqueViolation, "notes.id")) << again.error().subject();

  on.get(on.database().transact(&insert_order, 1, 7));
  Result<void> twice = on.run(on.database().transact(&insert_order, 1, 7));
  EXPECT_TRUE(violates(twice.error(), kUniqueViolation, "orders.shop, orders.number"))
      << twice.error().subject();

  Result<void> missing =
      on.run(on.database().transact(&insert_line, note.id, std::optional<std::string_view>()));
  EXPECT_TRUE(violates(missing.error(), kNotNullViolation, "lines.text")) << missing.error().subject();
  EXPECT_EQ(missing.error().category(), Category::invalid);

  Result<void> unfit = on.run(on.database().transact(&Store::insert, store_, a_note(std::string(200, 'x'))));
  EXPECT_EQ(unfit.error().code(), kCheckViolation);
  EXPECT_EQ(unfit.error().category(), Category::invalid);
}

TEST_P(Conformance, ReferencesAreKept) {
  EngineKit& on = kit();
  Note note = a_note("kept");
  on.get(on.database().transact(&Store::insert, store_, note));
  on.get(on.database().transact(&insert_line, note.id, std::optional<std::string_view>("x")));
  Result<void> orphan =
      on.run(on.database().transact(&insert_line, new_id<NoteId>(), std::optional<std::string_view>("x")));
  EXPECT_EQ(orphan.error().code(), kForeignKeyViolation);
  EXPECT_EQ(orphan.error().category(), Category::conflict);
  EXPECT_EQ(on.run(on.database().transact(&remove_note, note.id)).error().code(), kForeignKeyViolation);
}

// ---- many rows

Async<std::vector<Sample>> all_samples(Reader& db) {
  auto rows = co_await ok(
      db.all<Sample>("SELECT id, yes, whole, small, real, text, uuid, at, list FROM samples ORDER BY id"));
  co_return rows;
}

std::vector<Param> params_of(const Sample& sample) {
  std::vector<Param> row;
  row.emplace_back(sample.id);
  row.emplace_back(sample.yes);
  row.emplace_back(sample.whole);
  row.emplace_back(sample.small);
  row.emplace_back(sample.real);
  row.emplace_back(sample.text);
  row.emplace_back(sample.uuid);
  row.emplace_back(sample.at);
  row.emplace_back(sample.list);
  return row;
}

constexpr std::string_view kSampleColumns[] = {"id",   "yes",  "whole", "small", "real",
                                               "text", "uuid", "at",    "list"};

TEST_P(Conformance, ManyRowsGoInAtOnceAsTheyAre) {
  EngineKit& on = kit();
  std::vector<Sample> samples;
  for (std::int64_t i = 0; i < 3000; ++i) {
    Sample& sample = samples.emplace_back();
    sample.id = i;
    if (i % 3 == 0) continue;  // all null
    sample.yes = i % 2 == 0;
    sample.whole = -i * 1'000'000'007;
    sample.small = static_cast<std::int32_t>(i);
    sample.real = 1.0 / static_cast<double>(i);
    sample.text = "a\tb\nc\\d\re \\N \"q\" \\.\n" + std::to_string(i);
    sample.uuid = new_uuid();
    sample.at = Time(std::chrono::microseconds(1'700'000'000'000'000 + i));
    sample.list = std::vector<std::int64_t>{i, 2};
  }
  auto maintenance = std::move(*on.database().maintenance());
  ASSERT_TRUE(maintenance->begin());
  auto insert = std::move(*maintenance->bulk_insert("samples", kSampleColumns));
  for (const Sample& sample : samples) {
    Result<void> added = insert->add(params_of(sample));
    ASSERT_TRUE(added) << added.error().code();
  }
  Result<std::int64_t> rows = insert->finish();
  ASSERT_TRUE(rows) << rows.error().code() << rows.error().subject();
  EXPECT_EQ(*rows, 3000);
  ASSERT_TRUE(maintenance->commit());
  EXPECT_EQ(on.get(on.database().read(&all_samples)), samples);
}

TEST_P(Conformance, ManyRowsOfWhichOneIsRefusedAreAllRefused) {
  EngineKit& on = kit();
  auto maintenance = std::move(*on.database().maintenance());
  ASSERT_TRUE(maintenance->begin());
  auto insert = std::move(*maintenance->bulk_insert("samples", kSampleColumns));
  std::optional<Error> refused;
  for (int i = 0; i < 2 && !refused; ++i)
    if (Result<void> added = insert->add(params_of(Sample())); !added) refused = std::move(added.error());
  if (!refused)
    if (Result<std::int64_t> rows = insert->finish(); !rows) refused = std::move(rows.error());
  insert.reset();
  ASSERT_TRUE(refused);
  EXPECT_TRUE(violates(*refused, kUniqueViolation, "samples.id")) << refused->subject();
  maintenance->rollback();
  EXPECT_TRUE(on.get(on.database().read(&all_samples)).empty());
}

// ---- opening

TEST_P(Conformance, WorkAfterClosingIsTurnedAway) {
  EngineKit& on = kit();
  on.get(on.database().transact(&Store::insert, store_, a_note("a")));
  on.database().close();
  EXPECT_EQ(on.run(on.database().transact(&Store::insert, store_, a_note("b"))).error().code(),
            kDatabaseClosed);
  EXPECT_EQ(on.run(on.database().read(&Store::count, store_)).error().code(), kDatabaseClosed);
}

}  // namespace
}  // namespace bedplate::sql
