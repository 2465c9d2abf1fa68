// SPDX-License-Identifier: Apache-2.0
// Jobs in a whole program, on both engines. The names of tests begin with what they hold: J1 one commit, J2 states and
// fences, J3 liveness, J4 attempts, J5 waits, J6 unique jobs, J10 stopping and cancelling.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "bedplate/app/module.h"
#include "bedplate/async/timer.h"
#include "bedplate/base/embedded.h"
#include "bedplate/jobs/administration.h"
#include "bedplate/jobs/attempt.h"
#include "bedplate/jobs/workers.h"
#include "bedplate/testing/database_suite.h"
#include "bedplate/testing/test_app.h"
#include "tests/kits/patience_kit.h"
#include "tests/kits/postgresql_url_kit.h"

namespace bedplate::testing {
namespace {

using namespace std::chrono_literals;
using jobs::Conflict;
using jobs::EnqueueOptions;
using jobs::JobId;
using jobs::JobView;
using jobs::Priority;
using jobs::Until;

struct Note {
  std::string text;
  static consteval auto describe() {
    using namespace schema;
    return object<Note>("What to note", {field<&Note::text>(length{1, 40}, "The text")});
  }
};

constexpr jobs::Job<Note> kNote{"work.note"};
constexpr jobs::Job<Note> kCall{"work.call", "outside"};
constexpr jobs::Job<Note> kHang{"work.hang", "slow"};
constexpr jobs::Job<Note> kOnce{"work.once"};
constexpr jobs::Job<Note> kUndeclared{"work.undeclared"};

class Work {
 public:
  Async<void> note(const api::Caller& caller, sql::Transaction& tx, const Note& input) {
    const std::string who = caller.principal->act ? caller.principal->act->to_string() : "";
    order.push_back(input.text);
    std::ignore = co_await ok(tx.run("INSERT INTO notes (text, who) VALUES ($1, $2)", input.text, who));
    if (input.text == "fails") co_await fail(Category::unavailable, "not_now", "Not now.");
    if (input.text == "hopeless")
      co_await jobs::never_again(Error(Category::invalid, "hopeless", "It never will."));
    if (input.text == "later")
      co_await std::unexpected(Error(Category::unavailable, "busy", "Later.").with_retry_after(2h));
    if (input.text == "refuses")
      co_await std::unexpected(refuse_and_commit(Error(Category::conflict, "refused", "No.")));
    if (input.text == "stolen") std::ignore = co_await ok(tx.run("UPDATE jobs SET fence = fence + 1"));
  }
  Async<void> call(jobs::Attempt& attempt, sql::Database& db, const Note& input) {
    const std::string text = attempt.key() + " " + std::to_string(attempt.number());
    co_await ok(db.transact(&Work::keep, *this, text));
    if (input.text == "snoozes" && notes_made++ == 0) co_await jobs::snooze(10min);
    if (input.text == "fails") co_await fail(Category::unavailable, "not_now", "Not now.");
  }
  Async<void> hang(sql::Database&, const Note&) {
    hanging = true;
    co_await ok(sleep_for(1h));
  }
  Async<void> once(sql::Transaction& tx, const Note& input) { return keep(tx, input.text); }
  Async<void> keep(sql::Transaction& tx, const std::string& text) {
    std::ignore = co_await ok(tx.run("INSERT INTO notes (text, who) VALUES ($1, '')", text));
  }

  static inline std::vector<std::string> order;  ///< of run_due(), which runs one after another
  static inline std::atomic<int> notes_made = 0;
  static inline std::atomic<bool> hanging = false;
};

constexpr EmbeddedFile kTables[] = {
    {"0001_notes.up.sql", "CREATE TABLE notes (text {text} NOT NULL, who {text} NOT NULL){strict};"},
    {"0001_notes.down.sql", "DROP TABLE notes;"}};

app::Module work_module() {
  return app::Module("work", "Work for later")
      .migrations(kTables)
      .service<Work>()
      .job<&Work::note>(kNote, jobs::attempts(3), jobs::backoff(10s, 1min), jobs::formerly("work.write"))
      .job<&Work::once>(kOnce, jobs::attempts(1))
      .job<&Work::call>(kCall, jobs::attempts(2))
      .job<&Work::hang>(kHang);
}

class JobsTest : public DatabaseTest {
 protected:
  JobsTest() {
    Work::order.clear();
    Work::notes_made = 0;
    Work::hanging = false;
  }

  /// The workers do nothing by themselves: run_due() does.
  void open(const Settings& more = {{"jobs.enabled", "false"}}) {
    Settings settings = more;
    settings.emplace_back("database.url", database_url());
    app_.reset();
    app_.emplace(work_module(), settings);
  }
  app::Host& host() { return app_->host(); }
  jobs::Workers& workers() { return host().job_workers(); }

  template <class T>
  T get(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().code() + ": " + result.error().detail());
    if constexpr (!std::is_void_v<T>) return std::move(*result);
  }
  template <class F, class... Args>
  auto transact(F f, Args&... args) {
    sql::CallContext context;
    context.clock = &app_->clock();
    return host().wait_for(host().database().transact(context, f, args...));
  }
  static Async<JobId> put(sql::Transaction& tx, const jobs::Job<Note>& job, const Note& note,
                          const EnqueueOptions& options) {
    JobId id = co_await ok(jobs::enqueue(tx, job, note, options));
    if (note.text == "rolls back") co_await fail(Category::conflict, "no", "No.");
    co_return id;
  }
  JobId enqueue(const jobs::Job<Note>& job, const char* text, EnqueueOptions options = {}) {
    const Note note{text};
    return get(transact(&put, job, note, options));
  }
  std::int64_t run_due() { return get(host().wait_for(workers().run_due())); }
  template <class F, class... Args>
  auto read(F f, Args&... args) {
    sql::CallContext context;
    context.clock = &app_->clock();
    return host().wait_for(host().database().read(context, f, args...));
  }
  JobView show(JobId id) {
    const jobs::JobAdministration administration;
    const jobs::JobRef ref{id};
    return get(read(&jobs::JobAdministration::show, administration, ref));
  }
  std::vector<JobView> list(const jobs::ListJobs& query = {}) {
    const jobs::JobAdministration administration;
    return get(read(&jobs::JobAdministration::list, administration, query)).data;
  }
  static Async<std::vector<std::string>> all_notes(sql::Reader& db) {
    std::vector<std::string> notes = co_await ok(db.all<std::string>("SELECT text FROM notes ORDER BY text"));
    co_return notes;
  }
  std::vector<std::string> notes() { return get(host().wait_for(host().database().read(&all_notes))); }
  static Async<void> run_sql(sql::Transaction& tx, const std::string& text) {
    std::ignore = co_await ok(tx.run(text));
  }
  void sql_run(std::string text) { get(host().wait_for(host().database().transact(&run_sql, text))); }

  using Texts = std::vector<std::string>;
  std::optional<TestApp> app_;
};

TEST_P(JobsTest, J1_AJobIsThereExactlyWhenItsTransactionCommits) {
  open();
  const Note note{"rolls back"};
  const EnqueueOptions options;
  EXPECT_FALSE(transact(&put, kNote, note, options));
  EXPECT_EQ(run_due(), 0);
  const JobId id = enqueue(kNote, "hello");
  EXPECT_EQ(show(id).state, "available");
  EXPECT_EQ(run_due(), 1);
  EXPECT_EQ(notes(), Texts{"hello"});
  EXPECT_EQ(show(id).state, "done");
  EXPECT_EQ(run_due(), 0);
}

TEST_P(JobsTest, J1_WhatACommandWritesAndItsCompletionAreOneCommit) {
  open();
  const JobId id = enqueue(kNote, "stolen");  // another process takes the job over while it runs
  run_due();
  EXPECT_EQ(notes(), Texts{}) << "the effect of a job that was lost does not stand";
  EXPECT_NE(show(id).state, "done");
}

TEST_P(JobsTest, J1_ARefusalKeepsNoWritesOfAJob) {
  open();
  const JobId id = enqueue(kNote, "refuses");
  run_due();
  EXPECT_EQ(notes(), Texts{}) << "they would stand once more after each attempt";
  EXPECT_EQ(show(id).state, "scheduled");
  EXPECT_EQ(show(id).error, "refused: No.");
}

TEST_P(JobsTest, J1_AProcedureHasOneKeyAtEveryAttempt) {
  open();
  const JobId id = enqueue(kCall, "fails");
  run_due();
  EXPECT_EQ(show(id).state, "scheduled");
  app_->clock().advance(2min);
  run_due();
  EXPECT_EQ(notes(), (Texts{id.to_string() + " 1", id.to_string() + " 2"}));
  EXPECT_EQ(show(id).state, "dead");
}

TEST_P(JobsTest, J1_ItRunsForTheUserWhoseCallEnqueuedIt) {
  open();
  const Note note{"for ann"};
  const EnqueueOptions options;
  sql::CallContext context;
  context.user = new_uuid();
  context.clock = &app_->clock();
  get(host().wait_for(host().database().transact(context, &put, kNote, note, options)));
  run_due();
  struct Who {
    static Async<std::string> read(sql::Reader& db) {
      std::string who = co_await ok(db.value<std::string>("SELECT who FROM notes"));
      co_return who;
    }
  };
  EXPECT_EQ(get(host().wait_for(host().database().read(&Who::read))), context.user->to_string());
}

TEST_P(JobsTest, J2_EveryStateIsSeenAsItIs) {
  open();
  const JobId later = enqueue(kNote, "tomorrow", {.run_at = app_->clock().now() + 24h});
  const JobId hopeless = enqueue(kNote, "hopeless");
  const JobId done = enqueue(kNote, "done");
  run_due();
  const JobId waiting = enqueue(kNote, "waits");
  EXPECT_EQ(show(later).state, "scheduled");
  EXPECT_EQ(show(hopeless).state, "dead");
  EXPECT_EQ(show(hopeless).error, "hopeless: It never will.");
  EXPECT_EQ(show(done).state, "done");
  EXPECT_EQ(show(waiting).state, "available");
  for (const char* state : {"scheduled", "dead", "done", "available"}) {
    const std::vector<JobView> some = list({.state = state});
    ASSERT_EQ(some.size(), 1U) << state;
    EXPECT_EQ(some[0].state, state);
  }
  const std::vector<JobView> all = list();
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[0].id, waiting) << "the newest first";
  EXPECT_EQ(list({.limit = 1, .after = waiting})[0].id, done);
  app_->clock().advance(24h);
  run_due();
  EXPECT_EQ(show(later).state, "done");
}

TEST_P(JobsTest, J2_AKindThatNobodyDeclaresStaysWhereItIs) {
  open();
  const JobId id = enqueue(kUndeclared, "who knows");
  EXPECT_EQ(run_due(), 0);
  EXPECT_EQ(show(id).state, "available");
  EXPECT_EQ(show(id).attempt, 0);
  const JobId renamed = enqueue(jobs::Job<Note>{"work.write"}, "renamed");
  EXPECT_EQ(run_due(), 1);
  EXPECT_EQ(show(renamed).state, "done");
}

TEST_P(JobsTest, J3_JobsOfAProcessThatIsGoneAreGivenToOthers) {
  open({{"jobs.beat_ms", "20"}, {"jobs.dead_after_ms", "200"}, {"jobs.poll_ms", "20"}});
  const std::string long_ago = GetParam() == std::string("sqlite") ? "1" : "timestamptz '2020-01-01'";
  const std::string id = GetParam() == std::string("sqlite") ? "X'00000000000000000000000000000001'"
                                                             : "'00000000-0000-0000-0000-000000000001'";
  const std::string no = GetParam() == std::string("sqlite") ? "0" : "false";
  sql_run("INSERT INTO job_workers (id, host, beat) VALUES (" + id + ", 'gone', " + long_ago + ")");
  sql_run(
      "INSERT INTO jobs (id, kind, queue, state, priority, run_at, input, attempt, crashes, fence, worker, "
      "cancel_asked, "
      "created_at, started_at) VALUES (" +
      id + ", 'work.note', 'work', 'running', 1, " + long_ago + ", '{\"text\":\"rescued\"}', 0, 0, 1, " + id +
      ", " + no + ", " + long_ago + ", " + long_ago + ")");
  EXPECT_TRUE(wait_until([&] { return notes() == Texts{"rescued"}; }));
  const std::vector<JobView> jobs = list();
  ASSERT_EQ(jobs.size(), 1U);
  EXPECT_EQ(jobs[0].attempt, 1) << "a crash is an attempt";
}

TEST_P(JobsTest, J4_AJobThatKillsItsProcessThreeTimesIsDead) {
  open();
  const JobId id = enqueue(kNote, "kills");
  for (int crashes = 1; crashes <= 3; ++crashes) {
    EXPECT_EQ(show(id).state, "available");
    sql_run("UPDATE jobs SET state = 'running', fence = fence + 1");
    EXPECT_EQ(get(host().wait_for(workers().rescue_all())), 1);
  }
  EXPECT_EQ(show(id).state, "dead");
  EXPECT_EQ(show(id).error, "killed_its_worker");
}

TEST_P(JobsTest, J4_AJobOfOneAttemptIsNotBegunAgainAfterACrash) {
  open();
  const JobId id = enqueue(kOnce, "once");
  sql_run("UPDATE jobs SET state = 'running', fence = fence + 1");
  EXPECT_EQ(get(host().wait_for(workers().rescue_all())), 1);
  run_due();
  EXPECT_EQ(notes(), Texts{});
  EXPECT_EQ(show(id).state, "dead");
}

TEST_P(JobsTest, J4_AStopOfTheProcessCostsNoAttempt) {
  open({{"jobs.drain_ms", "0"}, {"jobs.poll_ms", "20"}});
  const JobId id = enqueue(kHang, "hangs");
  ASSERT_TRUE(wait_until([] { return Work::hanging.load(); }));
  open();
  EXPECT_EQ(show(id).state, "available");
  EXPECT_EQ(show(id).attempt, 0);
}

TEST_P(JobsTest, J4_ASnoozeCostsNoAttempt) {
  open();
  const JobId id = enqueue(kCall, "snoozes");
  run_due();
  EXPECT_EQ(show(id).state, "scheduled");
  EXPECT_EQ(show(id).attempt, 0);
  EXPECT_EQ(show(id).run_at, app_->clock().now() + 10min);
  app_->clock().advance(10min);
  run_due();
  EXPECT_EQ(show(id).state, "done");
}

TEST_P(JobsTest, J5_AFailureWaitsLongerEachTimeAndDiesInTheEnd) {
  open();
  const JobId id = enqueue(kNote, "fails");
  const Time began = app_->clock().now();
  run_due();
  EXPECT_EQ(show(id).state, "scheduled");
  EXPECT_EQ(show(id).attempt, 1);
  EXPECT_EQ(show(id).error, "not_now: Not now.");
  EXPECT_GE(show(id).run_at, began + 5s);
  EXPECT_LE(show(id).run_at, began + 10s);
  app_->clock().set(show(id).run_at);
  run_due();
  EXPECT_GE(show(id).run_at, app_->clock().now() + 10s);
  EXPECT_LE(show(id).run_at, app_->clock().now() + 20s);
  app_->clock().set(show(id).run_at);
  run_due();
  EXPECT_EQ(show(id).state, "dead");
  EXPECT_EQ(show(id).attempt, 3);
  EXPECT_EQ(notes(), Texts{}) << "what an attempt that failed wrote is rolled back";
}

TEST_P(JobsTest, J5_WhatAFailureAsksForWins) {
  open();
  const JobId id = enqueue(kNote, "later");
  run_due();
  EXPECT_EQ(show(id).run_at, app_->clock().now() + 2h);
}

TEST_P(JobsTest, J5_AnInputThatCannotBeReadFailsLikeAnythingElse) {
  open();
  const JobId id = enqueue(kNote, "broken");
  sql_run("UPDATE jobs SET input = '{\"text\":'");
  run_due();
  EXPECT_EQ(show(id).state, "scheduled");
  EXPECT_EQ(show(id).attempt, 1);
}

TEST_P(JobsTest, J6_OneUniqueJobWaitsAtATime) {
  open();
  const JobId first = enqueue(kNote, "first", {.unique_key = "k"});
  EXPECT_EQ(enqueue(kNote, "second", {.unique_key = "k"}), first);
  EXPECT_NE(enqueue(kNote, "other", {.unique_key = "l"}), first);
  const Note refused{"refused"};
  const EnqueueOptions refuse{.unique_key = "k", .on_conflict = Conflict::refuse};
  Result<JobId> third = transact(&put, kNote, refused, refuse);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code(), "job_exists");
  EXPECT_EQ(enqueue(kNote, "newest", {.unique_key = "k", .on_conflict = Conflict::replace}), first);
  run_due();
  EXPECT_EQ(notes(), (Texts{"newest", "other"}));
  EXPECT_NE(enqueue(kNote, "again", {.unique_key = "k"}), first) << "the first has begun";
}

TEST_P(JobsTest, J6_AUniqueJobUntilItHasFinishedHoldsItsKeyWhileItWaitsToBeTriedAgain) {
  open();
  const EnqueueOptions options{.unique_key = "k", .unique_until = Until::finished};
  const JobId first = enqueue(kNote, "fails", options);
  run_due();
  EXPECT_EQ(enqueue(kNote, "second", options), first);
  for (int i = 0; i < 2; ++i) {
    app_->clock().advance(2min);
    run_due();
  }
  EXPECT_EQ(show(first).state, "dead");
  EXPECT_NE(enqueue(kNote, "third", options), first);
}

TEST_P(JobsTest, J6_TenantsHaveKeysOfTheirOwn) {
  open();
  std::vector<JobId> ids;
  for (const std::optional<Uuid>& tenant :
       {std::optional<Uuid>(), std::optional(new_uuid()), std::optional(new_uuid())}) {
    sql::CallContext context(tenant);
    context.clock = &app_->clock();
    const Note note{"daily"};
    const EnqueueOptions options{.unique_key = "k"};
    ids.push_back(get(host().wait_for(host().database().transact(context, &put, kNote, note, options))));
  }
  EXPECT_NE(ids[0], ids[1]);
  EXPECT_NE(ids[1], ids[2]);
}

TEST_P(JobsTest, J6_AJobThatDiedOfCrashesHoldsNoKey) {
  open();
  const EnqueueOptions options{.unique_key = "k", .unique_until = Until::finished};
  const JobId first = enqueue(kNote, "kills", options);
  for (int crashes = 1; crashes <= 3; ++crashes) {
    sql_run("UPDATE jobs SET state = 'running', fence = fence + 1");
    get(host().wait_for(workers().rescue_all()));
  }
  EXPECT_EQ(show(first).state, "dead");
  EXPECT_NE(enqueue(kNote, "next", options), first);
}

TEST_P(JobsTest, J7_TheUrgentComesFirst) {
  open();
  enqueue(kNote, "low", {.priority = Priority::low});
  enqueue(kNote, "normal");
  enqueue(kNote, "high", {.priority = Priority::high});
  run_due();
  EXPECT_EQ(Work::order, (Texts{"high", "normal", "low"}));
}

TEST_P(JobsTest, J7_NothingStarves) {
  open();
  enqueue(kNote, "low", {.priority = Priority::low});
  enqueue(kNote, "normal");
  for (int i = 0; i < 30; ++i) enqueue(kNote, "high", {.priority = Priority::high});
  run_due();
  const auto place = [](const char* text) {
    return std::ranges::find(Work::order, text) - Work::order.begin();
  };
  EXPECT_LT(place("low"), 20);
  EXPECT_LT(place("normal"), 20);
}

TEST_P(JobsTest, J10_CancelReachesAJobThatRuns) {
  open({{"jobs.beat_ms", "20"}, {"jobs.poll_ms", "20"}});
  const JobId waiting = enqueue(kNote, "waits", {.run_at = app_->clock().now() + 1h});
  EXPECT_TRUE(get(transact(&jobs::cancel, waiting)));
  EXPECT_EQ(show(waiting).state, "cancelled");
  const JobId running = enqueue(kHang, "hangs");
  ASSERT_TRUE(wait_until([] { return Work::hanging.load(); }));
  EXPECT_TRUE(get(transact(&jobs::cancel, running)));
  EXPECT_TRUE(wait_until([&] { return show(running).state == "cancelled"; }));
  EXPECT_FALSE(get(transact(&jobs::cancel, running)));
}

TEST_P(JobsTest, J10_ACancelThatTheAttemptDidNotHearOfIsNotLost) {
  open();
  const JobId id = enqueue(kNote, "cancelled meanwhile");
  const std::string yes = GetParam() == std::string("sqlite") ? "1" : "true";
  sql_run("UPDATE jobs SET cancel_asked = " + yes);  // as while it ran in a process that is gone
  run_due();
  EXPECT_EQ(notes(), Texts{});
  EXPECT_EQ(show(id).state, "cancelled");
}

TEST_P(JobsTest, APausedQueueBeginsNothing) {
  open();
  const jobs::JobAdministration administration;
  const jobs::QueueRef queue{"work"};
  get(transact(&jobs::JobAdministration::pause, administration, queue));
  enqueue(kNote, "paused");
  EXPECT_EQ(run_due(), 0);
  get(transact(&jobs::JobAdministration::resume, administration, queue));
  EXPECT_EQ(run_due(), 1);
}

TEST_P(JobsTest, ADeadJobIsTriedAgainByHand) {
  open();
  const JobId id = enqueue(kNote, "hopeless");
  run_due();
  const jobs::JobAdministration administration;
  const jobs::JobRef ref{id};
  get(transact(&jobs::JobAdministration::retry, administration, ref));
  EXPECT_EQ(show(id).state, "available");
  EXPECT_EQ(show(id).attempt, 0);
  EXPECT_EQ(run_due(), 1);
  const JobId done = enqueue(kNote, "done");
  run_due();
  const jobs::JobRef ended{done};
  Result<void> refused = transact(&jobs::JobAdministration::retry, administration, ended);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), "job_not_dead");
}

TEST_P(JobsTest, ALargeInputIsRefused) {
  struct Large {
    std::string text;
    static consteval auto describe() {
      using namespace schema;
      return object<Large>("A large input", {field<&Large::text>("The text")});
    }
    static Async<JobId> put(sql::Transaction& tx, const Large& input) {
      JobId id = co_await ok(jobs::enqueue(tx, jobs::Job<Large>{"work.large"}, input));
      co_return id;
    }
  };
  open();
  const Large large{std::string(70'000, 'x')};
  Result<JobId> refused = transact(&Large::put, large);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), "job_input_too_large");
}

TEST_P(JobsTest, ManyAtOnceRunOnceEach) {
  open({{"jobs.poll_ms", "20"}, {"jobs.concurrency", "8"}});
  for (int i = 0; i < 60; ++i) enqueue(kNote, std::to_string(100 + i).c_str());
  EXPECT_TRUE(wait_until([&] { return list({.state = "done"}).size() == 60; }));
  EXPECT_EQ(notes().size(), 60U);
}

INSTANTIATE_TEST_SUITE_P(, JobsTest, every_database(), database_name);

}  // namespace
}  // namespace bedplate::testing
