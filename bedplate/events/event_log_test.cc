// SPDX-License-Identifier: Apache-2.0
// The log of events on both engines; on PostgreSQL with its sequencer.
#include "bedplate/events/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "bedplate/async/gather.h"
#include "bedplate/async/timer.h"
#include "bedplate/sql/migrate.h"
#include "tests/kits/engine_kit.h"

namespace bedplate::events {
namespace {

using sql::Dialect;
using ::testing::ElementsAre;
using testing::EngineKit;

struct Note {
  std::string text;
  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Note>("A note", {field<&Note::text>("What it says")});
  }
};

Event note(std::string_view stream, std::string_view text) {
  return Event("note.written", stream, Note{std::string(text)});
}

class EventLogTest : public ::testing::TestWithParam<Dialect> {
 protected:
  EventLogTest() : kit_(GetParam(), "") {
    const sql::MigrationSource source{"events", event_migrations()};
    EXPECT_TRUE(sql::migrate_up(kit_.database(), std::span(&source, 1)));
  }

  static Async<Published> publish_one(sql::Transaction& tx, const Event& event) {
    Published published = co_await ok(publish(tx, event));
    co_return published;
  }
  static Async<void> publish_and_fail(sql::Transaction& tx, const Event& event) {
    std::ignore = co_await ok(publish(tx, event));
    co_await fail(Category::conflict, "changed_my_mind", "No.");
  }
  Result<Published> write(const Event& event) {
    return kit_.run(kit_.database().transact(&EventLogTest::publish_one, event));
  }
  std::string error_of(const Event& event) {
    const Result<Published> done = write(event);
    return done ? "" : done.error().code();
  }
  /// Numbers what is to be numbered, and reads.
  Result<EventPage> read(std::int64_t after, std::int64_t limit = 1000) {
    kit_.get(log_.number_some());
    return kit_.run(log_.read(after, limit));
  }
  std::vector<std::string> texts(std::int64_t after, std::int64_t limit = 1000) {
    std::vector<std::string> found;
    for (const StoredEvent& event : read(after, limit).value().events)
      found.push_back(std::to_string(event.position) + " " + event.stream + "/" +
                      std::to_string(event.version) + " " + event.data);
    return found;
  }

  EngineKit kit_;
  EventLog log_{kit_.database()};
};

TEST_P(EventLogTest, E1_EventsAreThereWhenTheirTransactionCommits) {
  const Published first = write(note("note/1", "a")).value();
  EXPECT_EQ(first.version, 1);
  EXPECT_FALSE(kit_.run(kit_.database().transact(&EventLogTest::publish_and_fail, note("note/1", "b"))));
  EXPECT_EQ(write(note("note/1", "c")).value().version, 2);
  EXPECT_EQ(write(note("note/2", "d")).value().version, 1);
  EXPECT_THAT(texts(0), ElementsAre(R"(1 note/1/1 {"text":"a"})", R"(2 note/1/2 {"text":"c"})",
                                    R"(3 note/2/1 {"text":"d"})"));
  EXPECT_THAT(texts(1, 1), ElementsAre(R"(2 note/1/2 {"text":"c"})"));
  EXPECT_TRUE(texts(3).empty());
  const EventPage page = read(0).value();
  EXPECT_EQ(page.last_position, 3);
  EXPECT_EQ(page.events[0].id, first.id);
  EXPECT_EQ(page.events[0].type, "note.written");
}

TEST_P(EventLogTest, E1_AnotherVersionThanExpectedIsAConflict) {
  EXPECT_EQ(error_of(note("note/1", "a").expecting(1)), "stream_changed");
  EXPECT_EQ(error_of(note("note/1", "a").expecting(0)), "");
  EXPECT_EQ(error_of(note("note/1", "b").expecting(0)), "stream_changed");
  EXPECT_EQ(error_of(note("note/1", "b").expecting(2)), "stream_changed");
  EXPECT_EQ(write(note("note/1", "b").expecting(1)).value().version, 2);
  EXPECT_THAT(texts(0), ElementsAre(R"(1 note/1/1 {"text":"a"})", R"(2 note/1/2 {"text":"b"})"));
}

TEST_P(EventLogTest, RefusesWhatIsTooLargeOrHasNoName) {
  EXPECT_EQ(error_of(note("note/1", std::string(kEventDataSizeMax, 'x'))), "event_too_large");
  EXPECT_EQ(error_of(note("note/1", std::string(kEventDataSizeMax - 11, 'x'))), "");
  EXPECT_EQ(error_of(note("", "a")), "event_name_invalid");
  EXPECT_EQ(error_of(note("no te", "a")), "event_name_invalid");
  EXPECT_EQ(error_of(note(std::string(kEventStreamSizeMax + 1, 's'), "a")), "event_name_invalid");
  EXPECT_EQ(error_of(Event("", "note/1", Note{})), "event_name_invalid");
}

// Writers side by side, readers between them: none appears behind a reader, none is missing, streams never turn round.
Async<void> write_some(sql::Database& db, int writer) {
  for (int i = 0; i < 12; ++i) {
    const Event event = note("stream/" + std::to_string((writer + i) % 3), std::to_string(writer));
    std::ignore = co_await ok(
        db.transact([](sql::Transaction& tx, const Event& what) { return publish(tx, what); }, event));
  }
}
Async<std::vector<StoredEvent>> follow(const EventLog& log, std::size_t count) {
  std::vector<StoredEvent> seen;
  std::int64_t position = 0;
  while (seen.size() < count) {
    std::ignore = co_await ok(log.number_some());
    EventPage page = co_await ok(log.read(position, 7));
    if (page.events.empty())
      co_await ok(sleep_for(std::chrono::milliseconds(1)));  // the writers need the loop
    for (StoredEvent& event : page.events) {
      position = event.position;
      seen.push_back(std::move(event));
    }
  }
  co_return seen;
}

TEST_P(EventLogTest, E1_NoEventAppearsBehindAReader) {
  constexpr int kWriters = 4;
  const auto all = [](sql::Database& db, const EventLog& log) -> Async<std::vector<StoredEvent>> {
    Async<void> w0 = write_some(db, 0);
    Async<void> w1 = write_some(db, 1);
    Async<void> w2 = write_some(db, 2);
    Async<void> w3 = write_some(db, 3);
    // Two sequencers at once: one in each reader.
    Async<std::vector<StoredEvent>> one = follow(log, kWriters * 12);
    Async<std::vector<StoredEvent>> other = follow(log, kWriters * 12);
    auto done = co_await ok(
        gather(std::move(w0), std::move(w1), std::move(w2), std::move(w3), std::move(one), std::move(other)));
    auto& [a, b, c, d, first, second] = done;
    EXPECT_EQ(first.size(), second.size());
    for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].id, second[i].id);
    co_return std::move(first);
  };
  const std::vector<StoredEvent> seen = kit_.get(all(kit_.database(), log_));
  ASSERT_EQ(seen.size(), kWriters * 12u);
  std::map<std::string, std::int64_t> versions;
  std::set<Uuid> ids;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].position, static_cast<std::int64_t>(i + 1));
    EXPECT_EQ(seen[i].version, ++versions[seen[i].stream]);
    ids.insert(seen[i].id);
  }
  EXPECT_EQ(ids.size(), seen.size());
}

TEST_P(EventLogTest, E1_RetentionTellsAReaderToStartOver) {
  for (const char* text : {"a", "b", "c"}) write(note("note/1", text)).value();
  read(0).value();
  kit_.script("UPDATE events SET at = at " +
              std::string(GetParam() == Dialect::sqlite ? "- 86400000000" : "- interval '1 day'") +
              " WHERE position <= 2");
  const Time limit =
      std::chrono::time_point_cast<std::chrono::microseconds>(SystemClock().now() - std::chrono::hours(1));
  EXPECT_EQ(kit_.get(log_.delete_before(limit)), 2);
  EXPECT_EQ(kit_.get(log_.delete_before(limit)), 0);
  EXPECT_EQ(read(0).error().code(), "events_gone");
  EXPECT_EQ(read(1).error().code(), "events_gone");
  EXPECT_EQ(kit_.get(log_.first_position()), 2);
  EXPECT_THAT(texts(2), ElementsAre(R"(3 note/1/3 {"text":"c"})"));
  // Versions and positions go on, also when nothing is left.
  EXPECT_EQ(kit_.get(log_.delete_before(limit + std::chrono::hours(2))), 1);
  EXPECT_EQ(write(note("note/1", "d")).value().version, 4);
  EXPECT_THAT(texts(3), ElementsAre(R"(4 note/1/4 {"text":"d"})"));
}

TEST_P(EventLogTest, TheNewestFirst) {
  for (const char* text : {"a", "b", "c"}) write(note("note/1", text)).value();
  read(0).value();
  std::vector<std::int64_t> positions;
  for (const StoredEvent& event : kit_.get(log_.newest(3, 10))) positions.push_back(event.position);
  EXPECT_THAT(positions, ElementsAre(2, 1));
}

INSTANTIATE_TEST_SUITE_P(, EventLogTest, testing::every_dialect(), testing::dialect_name);

// E1: what commits late is numbered late, though it was inserted first.
TEST(PostgresqlEventLogTest, E1_WhatCommitsLateComesLater) {
  EngineKit kit(Dialect::postgresql, "");
  const sql::MigrationSource source{"events", event_migrations()};
  ASSERT_TRUE(sql::migrate_up(kit.database(), std::span(&source, 1)));
  EventLog log(kit.database());
  testing::PostgresSession late(kit.server_database().url());
  const auto insert = [](std::string_view id, std::string_view stream) {
    return "INSERT INTO events (id, stream, version, type, at, data) VALUES ('" + std::string(id) + "', '" +
           std::string(stream) + "', 1, 't', now(), '{}')";
  };
  late.rows("BEGIN");
  late.rows(insert("01a1fe3a-495d-7717-89b6-c129fca4e961", "late"));
  kit.script(insert("01a1fe3a-495d-7717-89b6-c129fca4e962", "early"));
  EXPECT_EQ(kit.get(log.number_some()), 1);
  late.rows("COMMIT");
  EXPECT_EQ(kit.get(log.number_some()), 1);
  EXPECT_EQ(kit.get(log.number_some()), 0);
  std::vector<std::string> streams;
  for (const StoredEvent& event : kit.get(log.read(0, 10)).events) streams.push_back(event.stream);
  EXPECT_THAT(streams, ElementsAre("early", "late"));
}

}  // namespace
}  // namespace bedplate::events
