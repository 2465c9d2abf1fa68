// SPDX-License-Identifier: Apache-2.0
#include "bedplate/events/publish.h"

#include <algorithm>
#include <chrono>

#include "bedplate/sql/session.h"
#include "events_files.h"

namespace bedplate::events {
namespace {

// The row of the stream is locked until the transaction ends, so that its events are numbered in the order of versions.
constexpr sql::Named kNextVersion(
    "events.next_version",
    "INSERT INTO event_streams (stream, version) VALUES ($1, 1) "
    "ON CONFLICT (stream) DO UPDATE SET version = event_streams.version + 1 RETURNING version");
constexpr sql::Named kFirstVersion(
    "events.first_version",
    "INSERT INTO event_streams (stream, version) VALUES ($1, 1) ON CONFLICT (stream) DO NOTHING");
constexpr sql::Named kVersionAfter(
    "events.version_after",
    "UPDATE event_streams SET version = version + 1 WHERE stream = $1 AND version = $2");
constexpr sql::Named kNextPosition(
    "events.next_position",
    "INSERT INTO event_state (id, last_position, deleted_to) VALUES (1, 1, 0) ON CONFLICT (id) DO UPDATE "
    "SET last_position = event_state.last_position + 1 RETURNING last_position");
constexpr sql::Named kInsert(
    "events.insert",
    "INSERT INTO events (position, id, stream, version, type, at, data) VALUES ($1, $2, $3, $4, $5, $6, $7)");

bool is_name(std::string_view text, std::size_t size_max) {
  return !text.empty() && text.size() <= size_max &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

Async<std::int64_t> advance_stream(sql::Transaction& tx, const Event& event) {
  if (!event.expected_version()) {
    const std::int64_t version = co_await ok(tx.value<std::int64_t>(kNextVersion, event.stream()));
    co_return version;
  }
  const std::int64_t expected = *event.expected_version();
  std::int64_t changed = 0;
  if (expected == 0)
    changed = co_await ok(tx.run(kFirstVersion, event.stream()));
  else
    changed = co_await ok(tx.run(kVersionAfter, event.stream(), expected));
  if (changed == 0) co_await fail(kStreamChanged);
  co_return expected + 1;
}

}  // namespace

Async<Published> publish(sql::Transaction& tx, Event event) {
  if (!is_name(event.type(), kEventTypeSizeMax) || !is_name(event.stream(), kEventStreamSizeMax))
    co_await fail(kEventNameInvalid);
  if (event.data().size() > kEventDataSizeMax) co_await fail(kEventTooLarge);
  Published published;
  published.id = new_uuid();
  published.version = co_await ok(advance_stream(tx, event));
  std::optional<std::int64_t>
      position;  // SQLite's writer commits in this order; on PostgreSQL the sequencer says it
  if (tx.dialect() == sql::Dialect::sqlite) position = co_await ok(tx.value<std::int64_t>(kNextPosition));
  const Time now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  std::ignore = co_await ok(tx.run(kInsert, position, published.id, event.stream(), published.version,
                                   event.type(), now, event.data()));
  co_return published;
}

std::span<const EmbeddedFile> event_migrations() {
  return events_files();
}

}  // namespace bedplate::events
