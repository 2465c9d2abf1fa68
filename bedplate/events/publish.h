// SPDX-License-Identifier: Apache-2.0
// Publishing events: facts that others act on, written in the transaction that makes them true.
//
//   Event done("task.done", "task/" + task.id.to_string(), task);
//   Published event = co_await ok(events::publish(tx, std::move(done)));
//
// An event is there exactly when the transaction commits. Its stream says what it is about; the events of a stream have
// the versions 1, 2, 3, ... Who relies on what it has read of a stream says so:
//
//   Event paid("order.paid", "order/17", payment);
//   std::ignore = co_await ok(events::publish(tx, std::move(paid).expecting(3)));    // else stream_changed
//
// Everything needs the tables of event_migrations(). Reading them: event_log.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "bedplate/async/async.h"
#include "bedplate/base/embedded.h"
#include "bedplate/base/id.h"
#include "bedplate/base/result.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/json/json.h"

namespace bedplate::sql {
class Transaction;
}

namespace bedplate::events {

/// Larger data is refused: an event says what happened, and where the rest is. Of the JSON.
inline constexpr std::size_t kEventDataSizeMax = std::size_t{256} * 1024;
inline constexpr std::size_t kEventTypeSizeMax = 100;
inline constexpr std::size_t kEventStreamSizeMax = 200;

/// Category::conflict: another transaction has published to the stream meanwhile. Read it again.
inline constexpr ErrorCode kStreamChanged{Category::conflict, "stream_changed",
                                          "The stream has changed meanwhile. Read it again."};
/// Category::too_large.
inline constexpr ErrorCode kEventTooLarge{
    Category::too_large, "event_too_large",
    "The data of an event is larger than 256 KiB: publish what happened, and where the rest is."};
/// Category::internal: a type or a stream that is empty, too long, or has other characters than visible ASCII.
inline constexpr ErrorCode kEventNameInvalid{Category::internal, "event_name_invalid",
                                             "The type or the stream of an event is not a name."};

/// An event to be published. The data is written as JSON at once, so that nothing that it refers to has to live on.
class Event {
 public:
  /// `type`: "task.done"; `stream`: "task/01a1..."; `data`: a value of a described type.
  template <class T>
  Event(std::string_view type, std::string_view stream, const T& data)
      : type_(type), stream_(stream), data_(to_json(data)) {}

  /// The version that the stream must have: 0, a stream without events.
  Event expecting(std::int64_t version) && {
    expected_version_ = version;
    return std::move(*this);
  }

  const std::string& type() const { return type_; }
  const std::string& stream() const { return stream_; }
  const std::string& data() const { return data_; }
  const std::optional<std::int64_t>& expected_version() const { return expected_version_; }

 private:
  std::string type_;
  std::string stream_;
  std::string data_;
  std::optional<std::int64_t> expected_version_;
};

/// What an event became.
struct Published {
  Uuid id;                   ///< UUIDv7; what receivers tell deliveries of one event by
  std::int64_t version = 0;  ///< of its stream
};

/// Category::conflict `stream_changed`, Category::too_large `event_too_large`, Category::internal `event_name_invalid`,
/// and those of the database.
Async<Published> publish(sql::Transaction& tx, Event event);

/// The tables: module "events" of the program's migrations.
std::span<const EmbeddedFile> event_migrations();

}  // namespace bedplate::events
