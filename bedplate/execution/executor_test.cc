// SPDX-License-Identifier: Apache-2.0
// Operations run without HTTP: what a job, a background task, a command and a test do.
#include "bedplate/execution/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "bedplate/execution/audit.h"
#include "bedplate/execution/hooked_database.h"
#include "bedplate/sql/migrate.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::api {

/// A kind of parameter that the framework does not know.
struct Progress {
  std::vector<int> steps;
};
template <>
struct Parameter<Progress&> : ExtraParameter<Progress> {};

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr ErrorCode kBroke{Category::conflict, "broke", "There is not enough."};

struct Note {
  Uuid id;
  std::string text;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Note>("A note", {field<&Note::id>("Names it"), field<&Note::text>("What it says")});
  }
};
struct NewNote {
  std::string text;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<NewNote>("A note to make", {field<&NewNote::text>(length{1, 20}, "What it says")});
  }
};
struct Count {
  std::int64_t count = 0;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Count>("How many", {field<&Count::count>("How many")});
  }
};

constexpr OperationHandle<NewNote, Note> kCreate{"notes.create"};
constexpr OperationHandle<NewNote, Note> kCreateTwice{"notes.create_twice"};
constexpr OperationHandle<NewNote, Note> kCreateElsewhere{"notes.create_elsewhere"};
constexpr OperationHandle<NewNote, Note> kSpend{"notes.spend"};
constexpr OperationHandle<void, Count> kCount{"notes.count"};
constexpr OperationHandle<NewNote, Count> kImport{"notes.import_all"};
constexpr OperationHandle<NewNote, Note> kOther{"other.create"};

class Notes {
 public:
  Async<Note> create(sql::Transaction& tx, const Caller& caller, const NewNote& input) {
    ++runs;
    Note note{new_uuid(), input.text};
    co_await ok(
        tx.run("INSERT INTO notes (id, owner, text) VALUES ($1, $2, $3)", note.id, caller.user(), note.text));
    co_return note;
  }
  Async<Note> create_twice(const Caller& caller, sql::Transaction& tx, const NewNote& input) {
    std::ignore = co_await ok(executor->join(tx, kCreate, caller, input));
    Note note = co_await ok(executor->join(tx, kCreate, caller, input));
    co_return note;
  }
  Async<Note> create_elsewhere(const Caller& caller, sql::Transaction& tx, const NewNote& input) {
    Note note = co_await ok(executor->join(tx, kOther, caller, input));
    co_return note;
  }
  Async<Note> spend(const Caller& caller, sql::Transaction& tx, const NewNote& input) {
    std::ignore = co_await ok(create(tx, caller, input));
    co_await std::unexpected(
        refuse_and_commit(Error(kBroke.category, kBroke.code, std::string(kBroke.detail))));
    co_return Note();
  }
  Async<Count> count(sql::Reader& db) {
    Count answer;
    answer.count = co_await ok(db.value<std::int64_t>("SELECT count(*) FROM notes"));
    co_return answer;
  }
  /// In an order that nobody has listed, with a parameter that the framework does not know.
  Async<Count> import_all(const NewNote& input, Progress& progress, sql::Database& db, const Caller& caller) {
    progress.steps.push_back(1);
    std::ignore = co_await ok(db.transact(&Notes::insert, *this, caller, input));
    std::ignore = co_await ok(db.transact(&Notes::insert, *this, caller, input));
    progress.steps.push_back(2);
    co_return Count{2};
  }

  Executor* executor = nullptr;
  int runs = 0;

 private:
  Async<Note> insert(sql::Transaction& tx, const Caller& caller, const NewNote& input) {
    return create(tx, caller, input);
  }
};

Api notes_api(Notes& notes) {
  return Api("notes", "Notes")
      .command<&Notes::create>(kCreate, notes, needs("notes:write"))
      .command<&Notes::create_twice>(kCreateTwice, notes, needs("notes:write"))
      .command<&Notes::create_elsewhere>(kCreateElsewhere, notes, needs("notes:write"))
      .command<&Notes::spend>(kSpend, notes, needs("notes:write"), fails_with(kBroke))
      .query<&Notes::count>(kCount, notes, any_user())
      .procedure<&Notes::import_all>(kImport, notes, any_user());
}

Async<std::vector<AuditEntry>> audit_of(sql::Reader& db, const AuditLog& audit) {
  AuditPage page = co_await ok(audit.list(db, AuditQuery()));
  co_return std::move(page.data);
}

class ExecutorTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  ExecutorTest()
      : sql_(GetParam(),
             GetParam() == sql::Dialect::sqlite
                 ? "CREATE TABLE notes (id BLOB PRIMARY KEY, owner BLOB NOT NULL, text TEXT NOT NULL) STRICT;"
                 : "CREATE TABLE notes (id UUID PRIMARY KEY, owner UUID NOT NULL, text TEXT NOT NULL);") {
    const sql::MigrationSource sources[] = {{"idempotency", idempotency_migrations()},
                                            {"audit", audit_migrations()}};
    EXPECT_TRUE(sql::migrate_up(sql_.database(), sources));
    principal_.user = new_id<auth::UserId>();
    principal_.scopes = {"notes:write"};
    caller_.principal = &principal_;
    caller_.request_id = "request-1";
    Executor::Parts parts;
    parts.clock = &clock_;
    parts.database = &sql_.database();
    parts.commit_hooks = {&audit_};
    parts.rate_limit.principal_burst = 30;
    std::vector<Api> apis;
    apis.push_back(notes_api(notes_));
    apis.push_back(Api("other", "").command<&Notes::create>("create", notes_, any_user()));
    Result<std::unique_ptr<Executor>> made = Executor::make(std::move(apis), std::move(parts));
    EXPECT_TRUE(made) << made.error().detail();
    executor_ = std::move(*made);
    notes_.executor = executor_.get();
  }

  template <class Handle>
  Result<Note> create(const Handle& handle, const char* text, CallOptions options = {}) {
    const NewNote input{text};
    return sql_.run(executor_->call(handle, caller_, input, options));
  }
  std::int64_t count() { return sql_.get(executor_count()).count; }
  Async<Count> executor_count() { return executor_->call(kCount, caller_); }
  std::vector<AuditEntry> audit() { return sql_.get(sql_.database().read(&audit_of, audit_)); }

  testing::EngineKit sql_;
  SystemClock clock_;
  AuditSettings settings_;
  AuditLog audit_{settings_, clock_};
  auth::Principal principal_;
  Caller caller_;
  Notes notes_;
  std::unique_ptr<Executor> executor_;
};

TEST_P(ExecutorTest, RunsACommandWithAuditAndWithoutHttp) {
  Result<Note> note = create(kCreate, "milk");
  ASSERT_TRUE(note) << note.error().detail();
  EXPECT_EQ(note->text, "milk");
  EXPECT_EQ(count(), 1);
  const std::vector<AuditEntry> entries = audit();
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].operation, "notes.create");
  EXPECT_EQ(entries[0].principal_kind, "user");
  EXPECT_EQ(entries[0].principal, Uuid(principal_.user));
  EXPECT_EQ(entries[0].subject, note->id.to_string());
  EXPECT_EQ(entries[0].request_id, "request-1");
  EXPECT_EQ(entries[0].outcome, "ok");
}

TEST_P(ExecutorTest, AKeyRunsACommandOnce) {
  Result<Note> first = create(kCreate, "milk", {.idempotency_key = "job-17"});
  Result<Note> again = create(kCreate, "milk", {.idempotency_key = "job-17"});
  ASSERT_TRUE(first && again);
  EXPECT_EQ(first->id, again->id);
  EXPECT_EQ(notes_.runs, 1);
  EXPECT_EQ(audit().size(), 1U);
  Result<Note> other = create(kCreate, "bread", {.idempotency_key = "job-17"});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), "idempotency_key_reused");
  principal_.user = new_id<auth::UserId>();
  EXPECT_TRUE(create(kCreate, "bread", {.idempotency_key = "job-17"})) << "others have keys of their own";
  for (int user = 0; user < 2; ++user) {
    const auth::Principal system = auth::system_principal(new_id<auth::UserId>());
    caller_.principal = &system;
    EXPECT_TRUE(create(kCreate, "milk", {.idempotency_key = "job-18"}));
  }
  EXPECT_EQ(notes_.runs, 4) << "the system acts for each user under keys of their own";
}

TEST_P(ExecutorTest, ARefusalThatKeepsItsWritesIsAnOutcomeToo) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    Result<Note> refused = create(kSpend, "milk", {.idempotency_key = "spend-1"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "broke");
    EXPECT_EQ(refused.error().category(), Category::conflict);
  }
  EXPECT_EQ(notes_.runs, 1);
  EXPECT_EQ(count(), 1);
  ASSERT_EQ(audit().size(), 1U);
  EXPECT_EQ(audit()[0].outcome, "broke");
}

TEST_P(ExecutorTest, ChecksCallerAndInputAsEverySurfaceDoes) {
  Result<Note> blank = create(kCreate, "");
  ASSERT_FALSE(blank);
  EXPECT_EQ(blank.error().category(), Category::invalid);
  EXPECT_EQ(blank.error().faults()[0].pointer, "/text");
  principal_.scopes.clear();
  EXPECT_EQ(create(kCreate, "milk").error().code(), "scope_missing");
  caller_.principal = nullptr;
  EXPECT_EQ(create(kCreate, "milk").error().code(), "token_required");
  const auth::Principal system = auth::system_principal(new_id<auth::UserId>());
  caller_.principal = &system;
  EXPECT_TRUE(create(kCreate, "milk")) << "the system has every scope";
  ASSERT_EQ(audit().size(), 1U);
  EXPECT_EQ(audit()[0].principal_kind, "system");
  EXPECT_EQ(audit()[0].act, Uuid(*system.act));
  EXPECT_EQ(audit()[0].principal, std::nullopt);
}

TEST_P(ExecutorTest, LimitsAKnownCaller) {
  Result<Note> last = create(kCreate, "milk");
  for (int i = 0; last && i < 200; ++i) last = create(kCreate, "milk");
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().category(), Category::rate_limited);
  const auth::Principal system = auth::system_principal();
  caller_.principal = &system;
  EXPECT_TRUE(create(kCreate, "milk")) << "the system is never limited";
}

TEST_P(ExecutorTest, OperationsOfTheSameModuleJoinATransaction) {
  ASSERT_TRUE(create(kCreateTwice, "milk"));
  EXPECT_EQ(count(), 2);
  EXPECT_EQ(audit().size(), 1U) << "one commit, one entry";
}

TEST_P(ExecutorTest, AnotherModulesOperationDoesNotJoin) {
  Result<Note> refused = create(kCreateElsewhere, "milk");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), "call_crosses_modules");
  EXPECT_THAT(refused.error().detail(), HasSubstr("Enqueue a job or publish an event"));
  EXPECT_EQ(count(), 0);
  caller_.transaction_of = "notes";
  EXPECT_THAT(create(kOther, "milk").error().detail(), HasSubstr("inside of a transaction of notes"));
}

TEST_P(ExecutorTest, AParameterOfAnotherKindComesInAnyOrder) {
  Progress progress;
  const Extra extra(progress);
  const NewNote input{"milk"};
  CallOptions options;
  options.extra = &extra;
  Result<Count> done = sql_.run(executor_->call(kImport, caller_, input, options));
  ASSERT_TRUE(done) << done.error().detail();
  EXPECT_THAT(progress.steps, ElementsAre(1, 2));
  EXPECT_EQ(audit().size(), 2U) << "each transaction of a procedure is seen by the hooks";
  Result<Count> without = sql_.run(executor_->call(kImport, caller_, input));
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().code(), "parameter_missing");
}

TEST_P(ExecutorTest, KnowsOperationsByNameAndTypes) {
  EXPECT_NE(executor_->find("notes.create"), nullptr);
  EXPECT_EQ(executor_->find("notes.gone"), nullptr);
  constexpr OperationHandle<NewNote, Count> kWrongTypes{"notes.create"};
  const NewNote input{"milk"};
  EXPECT_EQ(sql_.run(executor_->call(kWrongTypes, caller_, input)).error().code(), "operation_unknown");
}

TEST_P(ExecutorTest, ACallThatWasNotAdmittedDoesNotRun) {
  const Operation& operation = *executor_->find("notes.create");
  const NewNote input{"milk"};
  Note output;
  Call call(operation, caller_);
  call.input = &input;
  call.output = &output;
  EXPECT_EQ(sql_.run(executor_->run(call)).error().code(), "not_admitted");
  EXPECT_EQ(notes_.runs, 0);
}

struct Later final : Clock {
  Time now() const override { return SystemClock().now() + std::chrono::days(3); }
};

TEST_P(ExecutorTest, RowsOfTheAuditLogGoAfterTheirTime) {
  ASSERT_TRUE(create(kCreate, "milk"));
  const Later later;
  const AuditLog then(settings_, later);
  settings_.retention_days = 4;
  ASSERT_TRUE(sql_.run(then.delete_expired(sql_.database())));
  EXPECT_EQ(audit().size(), 1U);
  settings_.retention_days = 2;
  ASSERT_TRUE(sql_.run(then.delete_expired(sql_.database())));
  EXPECT_EQ(audit().size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(, ExecutorTest, testing::every_dialect(), testing::dialect_name);

}  // namespace
}  // namespace bedplate::api
