// SPDX-License-Identifier: Apache-2.0
#include "bedplate/events/event_log.h"

#include <algorithm>
#include <limits>

#include "bedplate/async/timer.h"
#include "bedplate/base/log.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/session.h"

namespace bedplate::events {
namespace {

constexpr std::int64_t kNumberedAtOnce = 1000;
constexpr std::int64_t kDeletedAtOnce = 500;
constexpr std::chrono::minutes kRetentionInterval{10};
constexpr std::chrono::seconds kAfterFailure{1};

struct State {
  std::int64_t last_position = 0;
  std::int64_t deleted_to = 0;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<State>("How far the log is", {field<&State::last_position>("The last position"),
                                                field<&State::deleted_to>("The last one that was deleted")});
  }
};

constexpr sql::Named kState("events.state", "SELECT last_position, deleted_to FROM event_state WHERE id = 1");
constexpr sql::Named kAfter(
    "events.after",
    "SELECT position, id, type, stream, version, at, data FROM events WHERE position > $1 "
    "ORDER BY position LIMIT $2");
constexpr sql::Named kBefore(
    "events.before",
    "SELECT position, id, type, stream, version, at, data FROM events WHERE position < $1 "
    "ORDER BY position DESC LIMIT $2");

// Sequencers take turns at the row; what each of them then sees is everything that was committed before.
constexpr sql::Named kLockState(
    "events.lock_state",
    "INSERT INTO event_state (id, last_position, deleted_to) VALUES (1, 0, 0) "
    "ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING last_position, deleted_to");
constexpr sql::Named kNumber(
    "events.number",
    "UPDATE events SET position = $1 + fresh.n FROM (SELECT entry, row_number() OVER (ORDER BY entry) AS n "
    "FROM "
    "(SELECT entry FROM events WHERE position IS NULL ORDER BY entry LIMIT $2) AS few) AS fresh "
    "WHERE events.entry = fresh.entry");
constexpr sql::Named kAdvance("events.advance",
                              "UPDATE event_state SET last_position = last_position + $1 WHERE id = 1");
constexpr sql::Named kUnnumbered(
    "events.unnumbered", "SELECT count(*) FROM (SELECT 1 FROM events WHERE position IS NULL LIMIT 1) AS few");

constexpr sql::Named kLastToDelete(
    "events.last_to_delete",
    "SELECT coalesce(max(position), 0) FROM (SELECT position, at FROM events WHERE position > $1 "
    "ORDER BY position LIMIT $2) AS oldest WHERE at < $3");
constexpr sql::Named kDelete("events.delete", "DELETE FROM events WHERE position <= $1");
constexpr sql::Named kDeletedTo("events.deleted_to", "UPDATE event_state SET deleted_to = $1 WHERE id = 1");

Async<State> read_state(sql::Reader& db) {
  std::optional<State> state = co_await ok(db.maybe<State>(kState));
  co_return state.value_or(State());
}

Async<EventPage> read_after(sql::Reader& db, const std::int64_t& position, const std::int64_t& limit) {
  EventPage page;
  const State state = co_await ok(read_state(db));
  if (position < state.deleted_to) co_await fail(kEventsGone);
  page.events = co_await ok(db.all<StoredEvent>(kAfter, position, limit));
  page.last_position = state.last_position;
  co_return page;
}

Async<std::vector<StoredEvent>> read_before(sql::Reader& db, const std::int64_t& position,
                                            const std::int64_t& limit) {
  std::vector<StoredEvent> events = co_await ok(db.all<StoredEvent>(kBefore, position, limit));
  co_return events;
}

Async<std::int64_t> read_deleted_to(sql::Reader& db) {
  const State state = co_await ok(read_state(db));
  co_return state.deleted_to;
}

Async<std::int64_t> count_unnumbered(sql::Reader& db) {
  const std::int64_t count = co_await ok(db.value<std::int64_t>(kUnnumbered));
  co_return count;
}

Async<std::int64_t> number_in(sql::Transaction& tx) {
  State state = co_await ok(tx.one<State>(kLockState));
  const std::int64_t numbered = co_await ok(tx.run(kNumber, state.last_position, kNumberedAtOnce));
  if (numbered > 0) std::ignore = co_await ok(tx.run(kAdvance, numbered));
  co_return numbered;
}

Async<std::int64_t> delete_some(sql::Transaction& tx, const Time& time) {
  State state = co_await ok(tx.one<State>(kLockState));
  const std::int64_t last =
      co_await ok(tx.value<std::int64_t>(kLastToDelete, state.deleted_to, kDeletedAtOnce, time));
  if (last == 0) co_return 0;
  const std::int64_t deleted = co_await ok(tx.run(kDelete, last));
  std::ignore = co_await ok(tx.run(kDeletedTo, last));
  co_return deleted;
}

}  // namespace

Async<EventPage> EventLog::read(std::int64_t position, std::int64_t limit) const {
  const std::int64_t bounded = std::clamp<std::int64_t>(limit, 1, kEventPageMax);
  EventPage page = co_await ok(database_.read(&read_after, position, bounded));
  co_return page;
}

Async<std::vector<StoredEvent>> EventLog::newest(std::int64_t before, std::int64_t limit) const {
  const std::int64_t bounded = std::clamp<std::int64_t>(limit, 1, kEventPageMax);
  std::vector<StoredEvent> events = co_await ok(database_.read(&read_before, before, bounded));
  co_return events;
}

Async<std::int64_t> EventLog::first_position() const {
  const std::int64_t position = co_await ok(database_.read(&read_deleted_to));
  co_return position;
}

Async<std::int64_t> EventLog::number_some() const {
  const std::int64_t waiting = co_await ok(database_.read(&count_unnumbered));
  if (waiting == 0) co_return 0;
  const sql::CallContext context = sql::CallContext::read_committed();
  const std::int64_t numbered = co_await ok(database_.transact(context, &number_in));
  co_return numbered;
}

Async<void> run_sequencer(sql::Database& database, const EventSettings& settings) {
  const EventLog log(database);
  // On SQLite events have their positions. Only a copy of another database may have some without.
  const bool is_sqlite = database.dialect() == sql::Dialect::sqlite;
  constexpr std::chrono::hours kSeldom{1};
  for (;;) {
    Result<std::int64_t> numbered = co_await log.number_some();
    if (!numbered) {
      log_warn("events could not be numbered", {{"why", numbered.error().detail()}});
      co_await ok(sleep_for(kAfterFailure));
    } else if (*numbered == 0) {
      const std::chrono::milliseconds pause(settings.sequencer_poll_ms);
      co_await ok(sleep_for(is_sqlite ? kSeldom : pause));
    }
  }
}

Async<std::int64_t> EventLog::delete_before(Time time) const {
  const sql::CallContext context = sql::CallContext::read_committed();
  std::int64_t deleted = 0;
  for (;;) {
    const std::int64_t some = co_await ok(database_.transact(context, &delete_some, time));
    deleted += some;
    if (some < kDeletedAtOnce) co_return deleted;
  }
}

Async<void> run_retention(sql::Database& database, const EventSettings& settings, const Clock& clock) {
  const EventLog log(database);
  for (;;) {
    Result<std::int64_t> deleted =
        co_await log.delete_before(clock.now() - std::chrono::days(settings.retention_days));
    if (!deleted) log_warn("old events could not be deleted", {{"why", deleted.error().detail()}});
    co_await ok(sleep_for(kRetentionInterval));
  }
}

}  // namespace bedplate::events
