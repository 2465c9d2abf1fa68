// SPDX-License-Identifier: Apache-2.0
// Events in a program, on both engines: published in a transaction, numbered in the background, listed by the command.
#include "bedplate/app/events_module.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bedplate/base/embedded.h"
#include "bedplate/testing/test_app.h"
#include "tests/kits/database_kit.h"
#include "tests/kits/engine_kit.h"
#include "tests/kits/patience_kit.h"

namespace bedplate::app {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

struct Note {
  std::string text;
  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Note>("A note", {field<&Note::text>("What it says")});
  }
};

Async<void> write(sql::Transaction& tx, const std::string& text) {
  events::Event written("note.written", "note/1", Note{text});
  std::ignore = co_await ok(events::publish(tx, std::move(written)));
}

/// What it has heard, in a table.
struct Readers {
  Async<void> remember(sql::Transaction& tx, events::Received& event, const Note& note) const {
    const std::string text = std::to_string(event.version()) + " " + note.text;
    std::ignore = co_await ok(tx.run("INSERT INTO readers (text) VALUES ($1)", text));
  }
};

constexpr EmbeddedFile kTables[] = {
    {"0001_readers.up.sql", "CREATE TABLE readers (text {text} NOT NULL PRIMARY KEY){clustered};"},
    {"0001_readers.down.sql", "DROP TABLE readers;"}};

Module readers_module() {
  return Module("readers", "Who reads notes")
      .migrations(kTables)
      .service<Readers>()
      .event("note.written")
      .on<&Readers::remember>("note.written");
}

Async<std::vector<std::string>> read_readers(sql::Reader& db) {
  std::vector<std::string> texts = co_await ok(db.all<std::string>("SELECT text FROM readers ORDER BY text"));
  co_return texts;
}

class EventsModuleTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  std::string list(std::vector<std::string> arguments) {
    events::EventSettings settings;
    const Module module = events_module(settings);
    ::testing::internal::CaptureStdout();
    const Result<void> done = module.commands().front().body(app_.host(), arguments);
    const std::string printed = ::testing::internal::GetCapturedStdout();
    return done ? printed : done.error().detail();
  }
  void publish(const std::string& text) {
    ASSERT_TRUE(app_.host().wait_for(app_.database().transact(&write, text)));
  }

  testing::TestDatabase database_{GetParam() == sql::Dialect::sqlite ? "sqlite" : "postgresql"};
  testing::TestApp app_{readers_module(), {{"database.url", database_.url()}}};
};

TEST_P(EventsModuleTest, ListsTheNewestFirst) {
  EXPECT_EQ(list({}), "There are no events.\n");
  EXPECT_EQ(list({"--json"}), "[]\n");
  for (const char* text : {"a", "b", "c"}) publish(text);
  const events::EventLog log(app_.database());
  ASSERT_TRUE(
      testing::wait_until([&] { return app_.host().wait_for(log.read(0, 10)).value().events.size() == 3; }));
  EXPECT_THAT(
      list({"--json", "--limit=1"}),
      MatchesRegex(
          "\\[\\{\"position\":3,\"id\":\"[0-9a-f-]{36}\",\"type\":\"note.written\",\"stream\":\"note/1\","
          "\"version\":3,\"at\":\"[^\"]*Z\",\"data\":\\{\"text\":\"c\"\\}\\}\\]\n"));
  EXPECT_THAT(list({"--json"}), HasSubstr("}},\n {\"position\":2,"));
  EXPECT_THAT(list({"--after=3", "--limit=1"}), MatchesRegex(" +2  2.*Z  note.written +note/1 2\n"));
  EXPECT_EQ(list({"--limit=0"}), "--limit is a number from 1 to 1000.");
  EXPECT_THAT(list({"--after=x"}), StartsWith("--after is a number from 1"));
}

TEST_P(EventsModuleTest, E2_AModuleHearsOfEvents) {
  publish("a");
  publish("b");
  const auto heard = [&] { return app_.host().wait_for(app_.database().read(&read_readers)).value(); };
  ASSERT_TRUE(testing::wait_until([&] { return heard().size() == 2; }));
  EXPECT_THAT(heard(), ::testing::ElementsAre("1 a", "2 b"));
}

INSTANTIATE_TEST_SUITE_P(Engine, EventsModuleTest, testing::every_dialect(), testing::dialect_name);

}  // namespace
}  // namespace bedplate::app
