// SPDX-License-Identifier: Apache-2.0
// Consumers: what happens because of events, each event once, in the order of the log.
//
//   // In a module; see app::Module::on().
//   .on<&Stats::count>("task.done")
//
//   Async<void> Stats::count(sql::Transaction& tx, const TaskDone& done) const;       // or with events::Received&
//
// A consumer is a module with handlers. A handler is a command: its effect and the consumer's position are one commit,
// so it takes effect exactly once, however many replicas run and whatever dies when. Work for the outside is a job that
// it enqueues. It runs through the executor, as the system.
//
// - **A handler that fails** parks its event: later ones of the same stream wait behind it, others pass. It is tried
//   again after 1 s, then after twice as long each time, up to an hour. An unavailable database parks nothing.
// - **More than kParkedMax parked events** stop the consumer: something is wrong with all of them.
// - **A type that no module declares** stops it too, and so does a position that retention passed. Stopped means:
//   the task ends with an error that names position and event, /healthz warns, and it is tried again every minute.
// - A new consumer begins with the oldest event that is left.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/base/result.h"
#include "bedplate/base/time.h"
#include "bedplate/events/event_log.h"
#include "bedplate/execution/commit_hook.h"
#include "bedplate/operations/parameters.h"

namespace bedplate::api {
class Executor;
struct Operation;
}  // namespace bedplate::api

namespace bedplate::events {

inline constexpr std::int64_t kParkedMax = 1000;

/// The event that a handler is called with, beside its data.
class Received {
 public:
  explicit Received(const StoredEvent& event) : event_(event) {}
  std::int64_t position() const { return event_.position; }
  const Uuid& id() const { return event_.id; }
  const std::string& stream() const { return event_.stream; }
  std::int64_t version() const { return event_.version; }
  Time at() const { return event_.at; }

 private:
  const StoredEvent& event_;
};

/// A consumer, as a module declares it.
struct ConsumerDeclaration {
  std::string name;  ///< of the module: "stats"
  std::map<std::string, std::string>
      handlers;  ///< type of event to operation: "task.done" to "stats.on_task_done"
};

/// An event that waits for its consumer to be able to handle it.
struct ParkedEvent {
  std::int64_t position = 0;
  std::string stream;
  std::string type;
  std::int64_t attempts = 0;  ///< 0: it waits behind another one
  Time next_at{};
  std::string error;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<ParkedEvent>(
        "An event that a consumer could not handle",
        {
            field<&ParkedEvent::position>("Where it stands in the log"),
            field<&ParkedEvent::stream>("Its stream"),
            field<&ParkedEvent::type>("Its type"),
            field<&ParkedEvent::attempts>("How often it failed; 0: it waits behind another"),
            field<&ParkedEvent::next_at>("When it is tried again"),
            field<&ParkedEvent::error>("Of the last attempt"),
        });
  }
};

class Consumers {
 public:
  /// `clock` outlives it.
  explicit Consumers(const Clock& clock);
  ~Consumers();
  Consumers(const Consumers&) = delete;
  Consumers& operator=(const Consumers&) = delete;

  /// Takes part in every commit.
  api::CommitHook& position_hook();
  /// Once, before anything runs; `types` are those that modules declare. Fails, with a sentence, where a handler is no
  /// command, or for a type that is not declared.
  Result<void> prepare(api::Executor& executor, sql::Database& database,
                       std::vector<ConsumerDeclaration> consumers, const std::vector<std::string>& types);
  std::vector<std::string> names() const;

  /// Handles what is there, at most a page of it: how many events were passed, or tried again. An error stops it.
  Async<std::int64_t> run_some(std::string_view name) const;
  /// Does so until its scope is cancelled, or it is stopped.
  Async<void> run(std::string_view name) const;

  Async<std::vector<ParkedEvent>> parked(std::string_view name) const;
  Async<std::int64_t> position(std::string_view name) const;

 private:
  struct Consumer;
  struct Running;
  class Hook;
  friend class Hook;

  const Consumer& find(std::string_view name) const;
  Async<std::int64_t> pass_some(const Consumer& consumer) const;
  Async<std::int64_t> retry_parked(const Consumer& consumer) const;
  Async<void> handle(const Consumer& consumer, const StoredEvent& event, Running& running) const;
  Async<void> pass(const Consumer& consumer, const StoredEvent& event, std::int64_t& position,
                   std::set<std::string>& parked_streams) const;
  Async<std::set<std::string>> streams_of_parked(const Consumer& consumer) const;

  const Clock& clock_;
  std::unique_ptr<Hook> hook_;
  api::Executor* executor_ = nullptr;
  sql::Database* database_ = nullptr;
  std::vector<std::unique_ptr<Consumer>> consumers_;
  std::vector<std::string> types_;
};

}  // namespace bedplate::events

template <>
struct bedplate::api::Parameter<bedplate::events::Received&>
    : bedplate::api::ExtraParameter<bedplate::events::Received> {};
