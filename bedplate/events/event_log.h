// SPDX-License-Identifier: Apache-2.0
// EventLog: the published events in one order, to be read from a position on.
//
//   EventLog log(database);
//   EventPage page = co_await ok(log.read(position, 100));       // those after `position`, the oldest first
//   for (const StoredEvent& event : page.events) handle(event);
//
// **Order.** Positions are 1, 2, 3, ... without gaps, and whoever has read one has seen all before it: no event appears
// behind a reader. Within a stream they follow the versions. An event that was acknowledged before another's
// transaction began has the lower position. On SQLite the order is that of the commits, and an event has its position
// from its commit on. On PostgreSQL transactions commit side by side; there a sequencer numbers what they have
// committed, some milliseconds later. Any number of sequencers may run: they take turns, and the unique index refuses a
// position that is given twice.
//
// **Retention.** Old events are deleted. A reader whose position lies before what is left gets `events_gone` (410): it
// starts over, from a state that it builds anew, instead of missing some.
//
// Thread-safe; what it is given outlives it. Call from a coroutine on a Loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/base/id.h"
#include "bedplate/base/result.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/describe.h"
#include "bedplate/events/publish.h"

namespace bedplate::sql {
class Database;
class Reader;
}  // namespace bedplate::sql

namespace bedplate::events {

/// Category::gone: the events after this position are partly deleted. Start over: EventLog::first_position().
inline constexpr ErrorCode kEventsGone{
    Category::gone, "events_gone",
    "Events after this position were deleted. Start over from the first one that is left."};

struct StoredEvent {
  std::int64_t position = 0;
  Uuid id;
  std::string type;
  std::string stream;
  std::int64_t version = 0;
  Time at{};
  std::string data;  ///< JSON

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<StoredEvent>(
        "An event of the log",
        {
            field<&StoredEvent::position>("Where it stands in the log; from 1, without gaps"),
            field<&StoredEvent::id>("Its ID"),
            field<&StoredEvent::type>("What happened: `task.done`"),
            field<&StoredEvent::stream>("To what: `task/ID`"),
            field<&StoredEvent::version>("Its number within the stream, from 1"),
            field<&StoredEvent::at>("When it was published"),
            field<&StoredEvent::data>("Its data, as JSON"),
        });
  }
};

/// What is read at once, at most.
inline constexpr std::int64_t kEventPageMax = 1000;

struct EventPage {
  std::vector<StoredEvent> events;
  std::int64_t last_position = 0;  ///< of the log: how far behind the reader is
};

/// How long events are kept: section `events`.
struct EventSettings {
  std::int64_t retention_days = 30;
  std::int64_t sequencer_poll_ms = 20;
  bool consume = true;

  static consteval auto describe() {
    using namespace bedplate::schema;
    using S = EventSettings;
    return object<S>("The log of events",
                     {
                         field<&S::retention_days>(optional_with_default, range{1, 36'500},
                                                   "Days after which an event is deleted"),
                         field<&S::sequencer_poll_ms>(
                             optional_with_default, range{1, 10'000},
                             "PostgreSQL: how often committed events are looked for, to be numbered"),
                         field<&S::consume>(optional_with_default,
                                            "This process runs consumers of events while it serves"),
                     });
  }
};

class EventLog {
 public:
  explicit EventLog(sql::Database& database) : database_(database) {}

  /// The events after `position`, at most `limit` (1 to 1000) of them. Category::gone `events_gone`.
  Async<EventPage> read(std::int64_t position, std::int64_t limit) const;
  /// The newest `limit` before position `before`, the newest first.
  Async<std::vector<StoredEvent>> newest(std::int64_t before, std::int64_t limit) const;
  /// Where a reader starts over: the position before the first event that is left.
  Async<std::int64_t> first_position() const;

  /// Numbers what was committed, at most 1000 at once: how many.
  Async<std::int64_t> number_some() const;

  /// Deletes what was published before `time`, in order, 500 at once: how many were deleted in all.
  Async<std::int64_t> delete_before(Time time) const;

 private:
  sql::Database& database_;
};

/// Numbers events until its scope is cancelled. What it is given outlives it.
Async<void> run_sequencer(sql::Database& database, const EventSettings& settings);
/// Deletes old events now and then, until its scope is cancelled.
Async<void> run_retention(sql::Database& database, const EventSettings& settings, const Clock& clock);

}  // namespace bedplate::events
