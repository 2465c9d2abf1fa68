// SPDX-License-Identifier: Apache-2.0
// No query of this application reads a large table to its end, and a list of 10 000 tasks answers quickly: on both
// engines, with 20 000 tasks of 101 users, one of whom has half of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "apps/tasks/service.h"
#include "bedplate/events/publish.h"
#include "bedplate/sql/migrate.h"
#include "bedplate/testing/fake_clock.h"
#include "bedplate/testing/query_guard.h"
#include "tasks_migrations.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::tasks {
namespace {

using bedplate::testing::EngineKit;
using bedplate::testing::kQueryTimeMax;
using bedplate::testing::QueryGuard;
using ::testing::IsEmpty;

constexpr std::string_view kSeedSqlite = R"(
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
INSERT INTO tasks (owner, id, title, description, status, due_at, labels, created_at, updated_at, version,
                   title_key)
SELECT CAST(printf('%016d', CASE WHEN i < 10000 THEN 0 ELSE i % 100 + 1 END) AS BLOB),
       CAST(printf('%016d', i) AS BLOB),
       'task ' || i, 'word' || (i % 50) || ' some description', CASE i % 3 WHEN 0 THEN 'todo' ELSE 'done' END,
       CASE WHEN i % 2 THEN 1800000000000000 + i END, '["home"]', 1800000000000000 + i, 1800000000000000 + i, 1,
       'task ' || i FROM n;
INSERT INTO tasks_search (part, id, title, description) SELECT owner, id, title, description FROM tasks;
INSERT INTO tasks_search_words (rowid, title, description)
SELECT number, lower(hex(part)) || title, lower(hex(part)) || description FROM tasks_search;
)";

constexpr std::string_view kSeedPostgresql = R"(
INSERT INTO tasks (owner, id, title, description, status, due_at, labels, created_at, updated_at, version,
                   title_key)
SELECT lpad(to_hex(CASE WHEN i < 10000 THEN 0 ELSE i % 100 + 1 END), 32, '0')::uuid, lpad(to_hex(i), 32, '0')::uuid,
       'task ' || i, 'word' || (i % 50) || ' some description', CASE i % 3 WHEN 0 THEN 'todo' ELSE 'done' END,
       CASE WHEN i % 2 = 1 THEN timestamptz '2027-01-15' + i * interval '1 s' END, '["home"]',
       timestamptz '2027-01-15' + i * interval '1 s', timestamptz '2027-01-15' + i * interval '1 s', 1,
       'task ' || i
FROM generate_series(0, 19999) i;
INSERT INTO tasks_search (part, id, title, description, words)
SELECT owner, id, title, description,
       ('''' || key || 'task'':2 ''' || key || 'word' || split_part(title, ' ', 2)::int % 50 || ''':5 ''' ||
        key || 'some'':6')::tsvector
FROM (SELECT *, rtrim(translate(encode(uuid_send(owner), 'base64'), '+/', '-_'), '=') AS key FROM tasks) t;
)";

// The operations, with what they run in first.
struct Operations {
  const Tasks& tasks;
  Async<Task> create(sql::Transaction& tx, const auth::Caller& caller, const api::New<Task>& input) const {
    return tasks.create(caller, tx, input);
  }
  Async<Task> find(sql::Reader& db, const auth::Caller& caller, const api::Ref<Task>& input) const {
    return tasks.find(caller, db, input);
  }
  Async<api::Page<Task>> list(sql::Reader& db, const auth::Caller& caller, const ListTasks& input) const {
    return tasks.list(caller, db, input);
  }
  Async<Task> replace(sql::Transaction& tx, const auth::Caller& caller,
                      const api::Replacement<Task>& input) const {
    return tasks.replace(caller, tx, input);
  }
  Async<Task> patch(sql::Transaction& tx, const auth::Caller& caller, const api::Changes<Task>& input) const {
    return tasks.patch(caller, tx, input);
  }
  Async<void> remove(sql::Transaction& tx, const auth::Caller& caller, const api::Ref<Task>& input) const {
    return tasks.remove(caller, tx, input);
  }
};

class TaskQueriesTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  TaskQueriesTest() : kit_(GetParam(), ""), guard_(kit_.database()), tasks_(clock_) {
    const bool sqlite = GetParam() == sql::Dialect::sqlite;
    const sql::DerivedTables search = search::derived(kSearch);
    const sql::MigrationSource sources[] = {
        {"events", events::event_migrations()}, {"tasks", tasks_migrations()}, search.migrations()};
    auto migrated = sql::migrate_up(kit_.database(), sources);
    EXPECT_TRUE(migrated) << migrated.error().detail();
    kit_.script(std::string(sqlite ? kSeedSqlite : kSeedPostgresql));
    caller_.principal = &principal_;
  }

  // Owner 0 has 10 000 tasks, each other a hundred. The scripts make their ids of their numbers.
  void act_as(std::uint8_t owner) {
    const bool sqlite = GetParam() == sql::Dialect::sqlite;
    principal_.user.bytes.fill(sqlite ? '0' : 0);
    principal_.user.bytes.back() = static_cast<std::uint8_t>((sqlite ? '0' : 0) + owner);
  }

  std::vector<ListTasks> lists() {
    std::vector<ListTasks> all(1);
    for (const char* sort :
         {"created_at", "-updated_at", "due_at", "-due_at,title", "title", "status,-created_at"}) {
      all.emplace_back().sort = sort;
      all.back().status = Status::todo;
    }
    all.emplace_back().label = "home";
    all.emplace_back().due_after = clock_.now();
    all.emplace_back().due_before = clock_.now();
    for (const char* text :
         {"word7", "word*", "w*", "\"some description\"", "task -word7", "-word7", "nothing"})
      all.emplace_back().q = text;
    all.emplace_back().page = 3;
    return all;
  }
  api::Page<Task> list(const ListTasks& query) {
    return kit_.get(guard_.database().read(&Operations::list, operations_, caller_, query));
  }

  EngineKit kit_;
  QueryGuard guard_;
  testing::FakeClock clock_;
  Tasks tasks_;
  Operations operations_{tasks_};
  auth::Principal principal_;
  auth::Caller caller_;
};

TEST_P(TaskQueriesTest, ReadNoLargeTableToItsEnd) {
  act_as(1);  // for one who has half of all tasks a scan would be right
  const api::New<Task> input({.title = "Buy milk"});
  const Task made = kit_.get(guard_.database().transact(&Operations::create, operations_, caller_, input));
  const api::Ref<Task> ref({.id = made.id});
  kit_.get(guard_.database().read(&Operations::find, operations_, caller_, ref));
  const api::Replacement<Task> replacement({.id = made.id, .title = "Buy bread"});
  kit_.get(guard_.database().transact(&Operations::replace, operations_, caller_, replacement));
  api::Changes<Task> patch({.id = made.id});
  patch.set<&Task::title>("Buy butter");
  kit_.get(guard_.database().transact(&Operations::patch, operations_, caller_, patch));
  kit_.get(guard_.database().transact(&Operations::remove, operations_, caller_, ref));
  for (ListTasks query : lists()) {
    api::Page<Task> page = list(query);
    if (!page.pagination.next_cursor) continue;
    query.page.reset();
    query.cursor = page.pagination.next_cursor;
    list(query);
  }
  EXPECT_GT(guard_.statements(), 30U);
  EXPECT_THAT(guard_.findings(kit_.loop()), IsEmpty());
}

// Each query on its own: a list asks for its rows, and for how many there are.
TEST_P(TaskQueriesTest, OverTenThousandTasksEachQueryAnswersInFiftyMilliseconds) {
  act_as(0);
  for (const ListTasks& query : lists()) {
    QueryGuard guard(kit_.database());
    const auto page = kit_.run(guard.database().read(&Operations::list, operations_, caller_, query));
    if (!page) {
      EXPECT_EQ(page.error().faults().at(0).code, "too_many_rows") << "an order without an index is refused";
      continue;
    }
    EXPECT_GE(guard.statements(), 2U);
    EXPECT_THAT(guard.slow_queries(kit_.loop(), kQueryTimeMax), IsEmpty());
  }
}

// What a page costs does not depend on how many tasks there are.
TEST_P(TaskQueriesTest, OfTenThousandTasksAPageReadsAFewAlongAnIndex) {
  act_as(0);
  std::vector<ListTasks> lists(4);
  lists[1].label = "home";
  lists[2].status = Status::todo;
  lists[2].sort = "due_at";
  lists[3].q = "task";
  for (const ListTasks& query : lists) {
    const api::Page<Task> page = list(query);
    EXPECT_EQ(page.data.size(), 20U);
    EXPECT_EQ(page.pagination.total, api::kListedRowsMax);
    EXPECT_EQ(page.pagination.total_is_exact, false);
  }
  if (GetParam() == sql::Dialect::sqlite) EXPECT_THAT(guard_.findings(kit_.loop()), IsEmpty());
  EXPECT_THAT(guard_.slow_queries(kit_.loop(), kQueryTimeMax / 5), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(, TaskQueriesTest, bedplate::testing::every_dialect(),
                         bedplate::testing::dialect_name);

}  // namespace
}  // namespace bedplate::tasks
