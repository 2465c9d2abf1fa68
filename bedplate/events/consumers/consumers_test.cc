// SPDX-License-Identifier: Apache-2.0
// Consumers of events on both engines, through the executor.
#include "bedplate/events/consumers/consumers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bedplate/async/gather.h"
#include "bedplate/execution/executor.h"
#include "bedplate/operations/api.h"
#include "bedplate/sql/migrate.h"
#include "bedplate/testing/fake_clock.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::events {
namespace {

using namespace std::chrono_literals;
using sql::Dialect;
using ::testing::ElementsAre;
using testing::EngineKit;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Note {
  std::string text;
  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Note>("A note", {field<&Note::text>("What it says")});
  }
};

/// Writes down what it hears; "bad" is too much for it as long as there is a row in `moods`.
struct Diary {
  Async<void> write(sql::Transaction& tx, Received& event, const Note& note) const {
    const std::int64_t position = event.position();
    std::ignore =
        co_await ok(tx.run("INSERT INTO diary (position, text) VALUES ($1, $2)", position, note.text));
    const std::int64_t moods = co_await ok(tx.value<std::int64_t>("SELECT count(*) FROM moods"));
    if (note.text == "bad" && moods > 0) co_await fail(Category::conflict, "in_a_mood", "Not today.");
  }
};

Event note(std::string_view stream, std::string_view text) {
  return Event("note.written", stream, Note{std::string(text)});
}

class ConsumersTest : public ::testing::TestWithParam<Dialect> {
 protected:
  ConsumersTest()
      : kit_(GetParam(),
             "CREATE TABLE diary (position bigint, text text); CREATE TABLE moods (mood bigint)") {
    const sql::MigrationSource sources[] = {{"events", event_migrations()}};
    EXPECT_TRUE(sql::migrate_up(kit_.database(), sources));
    api::Api api = api::Api("diary", "Diary").command<&Diary::write>("on_note_written", api::system_only());
    api.bind(diary_);
    std::vector<api::Api> apis;
    apis.push_back(std::move(api));
    api::Executor::Parts parts;
    parts.clock = &clock_;
    parts.database = &kit_.database();
    parts.commit_hooks = {&consumers_.position_hook()};
    executor_ = api::Executor::make(std::move(apis), std::move(parts)).value();
    prepare({{"note.written", "diary.on_note_written"}}, {"note.written", "note.read"});
  }

  void prepare(std::map<std::string, std::string> handlers, const std::vector<std::string>& types) {
    std::vector<ConsumerDeclaration> declared;
    declared.push_back({"diary", std::move(handlers)});
    const Result<void> done = consumers_.prepare(*executor_, kit_.database(), std::move(declared), types);
    EXPECT_TRUE(done) << (done ? "" : done.error().detail());
  }
  static Async<void> publish_one(sql::Transaction& tx, const Event& event) {
    std::ignore = co_await ok(publish(tx, event));
  }
  void write(const Event& event) {
    kit_.get(kit_.database().transact(&ConsumersTest::publish_one, event));
    kit_.get(log_.number_some());
  }
  void run() {
    while (kit_.get(consumers_.run_some("diary")) > 0) {
    }
  }
  static Async<std::vector<std::string>> read_diary(sql::Reader& db) {
    std::vector<std::string> texts = co_await ok(db.all<std::string>("SELECT text FROM diary"));
    co_return texts;
  }
  std::vector<std::string> diary() { return kit_.get(kit_.database().read(&ConsumersTest::read_diary)); }
  std::vector<std::string> parked() {
    std::vector<std::string> found;
    for (const ParkedEvent& one : kit_.get(consumers_.parked("diary")))
      found.push_back(std::to_string(one.position) + " " + one.stream + " " + std::to_string(one.attempts) +
                      " " + one.error);
    return found;
  }

  EngineKit kit_;
  EventLog log_{kit_.database()};
  testing::FakeClock clock_;
  Diary diary_;
  Consumers consumers_{clock_};
  std::unique_ptr<api::Executor> executor_;
};

TEST_P(ConsumersTest, E2_EachEventOnceInTheirOrder) {
  write(note("a", "1"));
  write(Event("note.read", "a", Note{"of no interest"}));
  write(note("b", "2"));
  run();
  EXPECT_THAT(diary(), ElementsAre("1", "2"));
  EXPECT_EQ(kit_.get(consumers_.position("diary")), 3);
  write(Event("note.read", "a", Note{"of no interest"}));
  run();
  EXPECT_EQ(kit_.get(consumers_.position("diary")), 4) << "retention need not wait for it";
  EXPECT_THAT(diary(), ElementsAre("1", "2"));
}

TEST_P(ConsumersTest, E2_RunnersSideBySideDoNothingTwice) {
  for (int i = 0; i < 20; ++i) write(note("s" + std::to_string(i % 3), std::to_string(i)));
  for (bool more = true; more;) {
    std::vector<Async<std::int64_t>> runners;
    for (int runner = 0; runner < 3; ++runner) runners.push_back(consumers_.run_some("diary"));
    more = false;
    for (const std::int64_t passed : kit_.get(gather(std::move(runners)))) more |= passed > 0;
  }
  std::vector<std::string> expected;
  for (int i = 0; i < 20; ++i) expected.push_back(std::to_string(i));
  EXPECT_EQ(diary(), expected);
  EXPECT_EQ(kit_.get(consumers_.position("diary")), 20);
}

TEST_P(ConsumersTest, E5_WhatFailsParksItsStream) {
  kit_.script("INSERT INTO moods VALUES (1)");
  write(note("a", "bad"));
  write(note("a", "2"));
  write(note("b", "3"));
  run();
  EXPECT_THAT(diary(), ElementsAre("3")) << "others pass, and what failed has left nothing";
  EXPECT_THAT(parked(), ElementsAre("1 a 1 in_a_mood: Not today.",
                                    "2 a 0 It waits behind another event of its stream."));
  clock_.advance(1s);
  run();
  EXPECT_THAT(parked(), ElementsAre(HasSubstr("1 a 2 "), HasSubstr("2 a 0 ")))
      << "tried again, and failed again";
  kit_.script("DELETE FROM moods");
  clock_.advance(1s);
  run();
  EXPECT_THAT(diary(), ElementsAre("3")) << "its time has not come: twice as long each time";
  clock_.advance(1s);
  run();
  EXPECT_THAT(diary(), ElementsAre("3", "bad", "2"));
  EXPECT_THAT(parked(), IsEmpty());
}

TEST_P(ConsumersTest, E7_ATypeThatNobodyKnowsStopsIt) {
  write(note("a", "1"));
  write(Event("note.burnt", "a", Note{"?"}));
  write(note("a", "2"));
  const Result<std::int64_t> done = kit_.run(consumers_.run_some("diary"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), "event_type_unknown");
  EXPECT_THAT(done.error().detail(), HasSubstr("at position 2."));
  EXPECT_THAT(diary(), ElementsAre("1")) << "what is before it was handled";
  EXPECT_EQ(kit_.get(consumers_.position("diary")), 1);
}

TEST_P(ConsumersTest, StopsWhereRetentionHasPassedIt) {
  write(note("a", "1"));
  run();
  write(note("a", "2"));
  write(note("a", "3"));
  kit_.script("UPDATE event_state SET deleted_to = 2");
  EXPECT_EQ(kit_.run(consumers_.run_some("diary")).error().code(), "events_gone");
}

TEST_P(ConsumersTest, WhatItIsGivenIsChecked) {
  Consumers other(clock_);
  const auto error = [&](std::map<std::string, std::string> handlers) {
    std::vector<ConsumerDeclaration> declared;
    declared.push_back({"diary", std::move(handlers)});
    return other.prepare(*executor_, kit_.database(), std::move(declared), {"note.written"}).error().detail();
  };
  EXPECT_EQ(error({{"note.written", "diary.nothing"}}),
            "The handler diary.nothing of note.written is not a command with an input.");
  EXPECT_EQ(error({{"note.burnt", "diary.on_note_written"}}),
            "diary.on_note_written handles note.burnt, which no module declares: say Module::event().");
}

INSTANTIATE_TEST_SUITE_P(, ConsumersTest, testing::every_dialect(), testing::dialect_name);

}  // namespace
}  // namespace bedplate::events
