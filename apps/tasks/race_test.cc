// SPDX-License-Identifier: Apache-2.0
// Several who change the same version of a task at the same time: one of them does, on each engine and at each level of
// isolation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "apps/tasks/api.h"
#include "apps/tasks/service.h"
#include "bedplate/events/publish.h"
#include "bedplate/sql/migrate.h"
#include "bedplate/testing/fake_clock.h"
#include "tasks_migrations.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::tasks {
namespace {

using bedplate::testing::EngineKit;
using sql::Dialect;
using sql::Isolation;

constexpr int kRacers = 6;
constexpr int kRounds = 12;

Async<Task> create(sql::Transaction& tx, const Tasks& tasks, const auth::Caller& caller,
                   const api::New<Task>& input) {
  return tasks.create(caller, tx, input);
}
Async<Task> find(sql::Reader& db, const Tasks& tasks, const auth::Caller& caller,
                 const api::Ref<Task>& input) {
  return tasks.find(caller, db, input);
}

/// One that no task has had: a change to what is there already makes no version.
std::string new_title(std::string_view how, int racer) {
  static std::atomic<int> count{0};
  return std::string(how) + " by " + std::to_string(racer) + ", " + std::to_string(++count);
}

/// One way to change a task, in the version that `if_match` names.
class Change {
 public:
  virtual ~Change() = default;
  virtual Async<void> run(sql::Transaction& tx, const Tasks& tasks, const auth::Caller& caller, TaskId id,
                          const api::IfMatch& if_match, int racer) const = 0;
};

class PatchIt final : public Change {
  Async<void> run(sql::Transaction& tx, const Tasks& tasks, const auth::Caller& caller, TaskId id,
                  const api::IfMatch& if_match, int racer) const override {
    api::Changes<Task> input({.id = id});
    input.if_match = if_match;
    input.set<&Task::title>(new_title("patched", racer));
    co_await ok(tasks.patch(caller, tx, input));
  }
};

class ReplaceIt final : public Change {
  Async<void> run(sql::Transaction& tx, const Tasks& tasks, const auth::Caller& caller, TaskId id,
                  const api::IfMatch& if_match, int racer) const override {
    api::Replacement<Task> input({.id = id, .title = new_title("replaced", racer)});
    input.if_match = if_match;
    co_await ok(tasks.replace(caller, tx, input));
  }
};

class RemoveIt final : public Change {
  Async<void> run(sql::Transaction& tx, const Tasks& tasks, const auth::Caller& caller, TaskId id,
                  const api::IfMatch& if_match, int /*racer*/) const override {
    api::Ref<Task> input({.id = id});
    input.if_match = if_match;
    co_await ok(tasks.remove(caller, tx, input));
  }
};

class TaskRaceTest : public ::testing::TestWithParam<std::tuple<Dialect, Isolation>> {
 protected:
  TaskRaceTest() : kit_(std::get<0>(GetParam()), ""), tasks_(clock_) {
    const sql::DerivedTables search = search::derived(kSearch);
    const sql::MigrationSource sources[] = {
        {"events", events::event_migrations()}, {"tasks", tasks_migrations()}, search.migrations()};
    auto migrated = sql::migrate_up(kit_.database(), sources);
    EXPECT_TRUE(migrated) << migrated.error().detail();
    caller_.principal = &principal_;
    context_.isolation = std::get<1>(GetParam());
  }

  Task make() {
    const api::New<Task> input({.title = "Buy milk"});
    return kit_.get(kit_.database().transact(&create, tasks_, caller_, input));
  }
  Result<Task> read(TaskId id) {
    const api::Ref<Task> ref({.id = id});
    return kit_.run(kit_.database().read(&find, tasks_, caller_, ref));
  }

  /// All start before any has ended. The codes with which they failed; "" for those that succeeded.
  std::vector<std::string> race(TaskId id, const api::IfMatch& if_match,
                                const std::vector<const Change*>& changes) {
    std::vector<std::string> codes;
    running_ = static_cast<int>(changes.size());
    for (int racer = 0; racer < static_cast<int>(changes.size()); ++racer)
      kit_.loop().spawn(change(codes, id, if_match, *changes[static_cast<std::size_t>(racer)], racer));
    kit_.loop().run();
    return codes;
  }

  EngineKit kit_;
  testing::FakeClock clock_;
  Tasks tasks_;
  auth::Principal principal_;
  auth::Caller caller_;
  sql::CallContext context_;
  const PatchIt patch_;
  const ReplaceIt replace_;
  const RemoveIt remove_;

 private:
  Async<void> change(std::vector<std::string>& codes, TaskId id, const api::IfMatch& if_match,
                     const Change& how, int racer) {
    const auto body = [](sql::Transaction& tx, const Change& what, const Tasks& tasks,
                         const auth::Caller& caller, TaskId task, const api::IfMatch& condition,
                         int number) { return what.run(tx, tasks, caller, task, condition, number); };
    Result<void> done =
        co_await kit_.database().transact(context_, body, how, tasks_, caller_, id, if_match, racer);
    codes.push_back(done ? "" : std::string(done.error().code()));
    if (--running_ == 0) kit_.loop().stop();
  }

  int running_ = 0;
};

TEST_P(TaskRaceTest, OneOfThoseWithTheSameIfMatchChangesIt) {
  for (const Change* how : {static_cast<const Change*>(&patch_), static_cast<const Change*>(&replace_)}) {
    Task task = make();
    for (int round = 0; round < kRounds; ++round) {
      const std::vector<std::string> codes =
          race(task.id, api::IfMatch({task.version}), std::vector<const Change*>(kRacers, how));
      EXPECT_EQ(std::ranges::count(codes, ""), 1);
      EXPECT_EQ(std::ranges::count(codes, "version_mismatch"), kRacers - 1);
      Result<Task> after = read(task.id);
      ASSERT_TRUE(after);
      EXPECT_EQ(after->version, task.version + 1);
      task = *after;
    }
  }
}

TEST_P(TaskRaceTest, WithoutIfMatchEachChangesItOnce) {
  const Task task = make();
  const std::vector<std::string> codes = race(task.id, {}, std::vector<const Change*>(kRacers, &patch_));
  EXPECT_EQ(std::ranges::count(codes, ""), kRacers);
  EXPECT_EQ(read(task.id)->version, 1 + kRacers);
}

TEST_P(TaskRaceTest, ItIsRemovedOrChangedAndNotBoth) {
  for (int round = 0; round < kRounds; ++round) {
    const Task task = make();
    const std::vector<std::string> codes =
        race(task.id, api::IfMatch({1}), {&remove_, &patch_, &remove_, &replace_, &remove_, &patch_});
    EXPECT_EQ(std::ranges::count(codes, ""), 1);
    EXPECT_EQ(std::ranges::count(codes, "version_mismatch") + std::ranges::count(codes, "task_not_found"),
              kRacers - 1);
    const Result<Task> after = read(task.id);
    if (after) {
      EXPECT_EQ(after->version, 2);
    }
  }
}

std::string name_of(const ::testing::TestParamInfo<std::tuple<Dialect, Isolation>>& info) {
  constexpr const char* kNames[] = {"serializable", "repeatable_read", "read_committed"};
  const std::string engine = std::get<0>(info.param) == Dialect::sqlite ? "sqlite_" : "postgresql_";
  return engine + kNames[static_cast<std::size_t>(std::get<1>(info.param))];
}

constexpr Isolation kLevels[] = {Isolation::serializable, Isolation::repeatable_read,
                                 Isolation::read_committed};

INSTANTIATE_TEST_SUITE_P(Engine, TaskRaceTest,
                         ::testing::Combine(::testing::Values(Dialect::sqlite, Dialect::postgresql),
                                            ::testing::ValuesIn(kLevels)),
                         name_of);

}  // namespace
}  // namespace bedplate::tasks
