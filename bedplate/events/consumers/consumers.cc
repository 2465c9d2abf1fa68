// SPDX-License-Identifier: Apache-2.0
#include "bedplate/events/consumers/consumers.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "bedplate/async/timer.h"
#include "bedplate/auth/principal.h"
#include "bedplate/base/log.h"
#include "bedplate/execution/executor.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/session.h"

namespace bedplate::events {

struct Consumers::Consumer {
  std::string name;
  std::map<std::string, const api::Operation*, std::less<>> handlers;
};

/// One event on its way through a handler, as the commit hook finds it.
struct Consumers::Running {
  const Consumer& consumer;
  const StoredEvent& event;
  std::optional<std::int64_t> from;  ///< the position that moves; nothing: a parked event goes
};

namespace {

constexpr std::int64_t kPage = 100;
constexpr std::chrono::seconds kFirstWait{1};
constexpr std::chrono::hours kLongestWait{1};
constexpr std::chrono::milliseconds kPause{50};

constexpr ErrorCode kConsumerLost{Category::conflict, "consumer_lost",
                                  "Another process has handled the event."};

constexpr sql::Named kPosition("consumers.position", "SELECT position FROM event_consumers WHERE name = $1");
constexpr sql::Named kBegin(
    "consumers.begin",
    "INSERT INTO event_consumers (name, position) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING");
constexpr sql::Named kMove("consumers.move",
                           "UPDATE event_consumers SET position = $3 WHERE name = $1 AND position = $2");
constexpr sql::Named kPark(
    "consumers.park",
    "INSERT INTO event_parked (consumer, position, stream, type, attempts, next_at, error) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)");
constexpr sql::Named kUnpark("consumers.unpark",
                             "DELETE FROM event_parked WHERE consumer = $1 AND position = $2");
constexpr sql::Named kFailedAgain("consumers.failed_again",
                                  "UPDATE event_parked SET attempts = attempts + 1, next_at = $3, error = $4 "
                                  "WHERE consumer = $1 AND position = $2");
constexpr sql::Named kParked(
    "consumers.parked",
    "SELECT position, stream, type, attempts, next_at, error FROM event_parked WHERE consumer = $1 "
    "ORDER BY position LIMIT 1001");
constexpr sql::Named kDue(
    "consumers.due",
    "SELECT position, stream, type, attempts, next_at, error FROM event_parked AS p "
    "WHERE consumer = $1 AND next_at <= $2 AND NOT EXISTS (SELECT 1 FROM event_parked AS before "
    "WHERE before.consumer = p.consumer AND before.stream = p.stream AND before.position < p.position) "
    "ORDER BY position LIMIT 20");

std::chrono::microseconds wait_after(std::int64_t attempts) {
  const std::int64_t doublings = std::clamp<std::int64_t>(attempts - 1, 0, 20);
  return std::min<std::chrono::microseconds>(kFirstWait * (std::int64_t{1} << doublings), kLongestWait);
}

/// The database or the process is the matter, not the event.
bool is_passing(const Error& error) {
  return error.category() == Category::unavailable || error.category() == Category::timeout ||
         error.category() == Category::cancelled || error.code() == sql::kSerializationFailure;
}

// ---- statements

Async<void> move_position(sql::Transaction& tx, const std::string& name, std::int64_t from, std::int64_t to) {
  const std::int64_t moved = co_await ok(tx.run(kMove, name, from, to));
  if (moved == 0) co_await fail(kConsumerLost);
}

Async<void> move_only(sql::Transaction& tx, const std::string& name, const std::int64_t& from,
                      const std::int64_t& to) {
  co_await ok(move_position(tx, name, from, to));
}

struct Parking {
  Parking(const std::string& of, const StoredEvent& what, std::int64_t position, std::int64_t failures,
          Time next, std::string why)
      : consumer(of), event(what), from(position), attempts(failures), next_at(next), error(std::move(why)) {}
  const std::string& consumer;
  const StoredEvent& event;
  std::int64_t from;
  std::int64_t attempts;
  Time next_at;
  std::string error;
};

Async<void> park(sql::Transaction& tx, const Parking& parking) {
  co_await ok(move_position(tx, parking.consumer, parking.from, parking.event.position));
  std::ignore = co_await ok(tx.run(kPark, parking.consumer, parking.event.position, parking.event.stream,
                                   parking.event.type, parking.attempts, parking.next_at, parking.error));
}

Async<void> failed_again(sql::Transaction& tx, const Parking& parking) {
  std::ignore = co_await ok(
      tx.run(kFailedAgain, parking.consumer, parking.event.position, parking.next_at, parking.error));
}

Async<void> begin(sql::Transaction& tx, const std::string& name, const std::int64_t& position) {
  std::ignore = co_await ok(tx.run(kBegin, name, position));
}

Async<std::optional<std::int64_t>> read_position(sql::Reader& db, const std::string& name) {
  std::optional<std::int64_t> position = co_await ok(db.maybe<std::int64_t>(kPosition, name));
  co_return position;
}

Async<std::vector<ParkedEvent>> read_parked(sql::Reader& db, const std::string& name) {
  std::vector<ParkedEvent> found = co_await ok(db.all<ParkedEvent>(kParked, name));
  co_return found;
}

Async<std::vector<ParkedEvent>> read_due(sql::Reader& db, const std::string& name, const Time& now) {
  std::vector<ParkedEvent> found = co_await ok(db.all<ParkedEvent>(kDue, name, now));
  co_return found;
}

}  // namespace

/// Moves the position, or takes the event out of those that are parked, in the handler's own transaction.
class Consumers::Hook final : public api::CommitHook {
 public:
  Async<void> before_commit(const api::Commit& commit, sql::Transaction& tx) override {
    api::Arguments arguments(commit.caller);
    arguments.extra = commit.extra;
    const auto* running = commit.extra ? arguments.find_extra<Running>() : nullptr;
    if (!running) co_return;
    // A refusal is a failure like any other: what would stand without the position would stand again.
    if (commit.refused)
      co_await std::unexpected(
          Error(commit.refused->category(), commit.refused->code(), commit.refused->detail()));
    const std::string& name = running->consumer.name;
    if (running->from) {
      co_await ok(move_position(tx, name, *running->from, running->event.position));
      co_return;
    }
    const std::int64_t gone = co_await ok(tx.run(kUnpark, name, running->event.position));
    if (gone == 0) co_await fail(kConsumerLost);
  }
  bool sees_refusals() const override { return true; }
};

Consumers::Consumers(const Clock& clock) : clock_(clock), hook_(std::make_unique<Hook>()) {}
Consumers::~Consumers() = default;

api::CommitHook& Consumers::position_hook() {
  return *hook_;
}

Result<void> Consumers::prepare(api::Executor& executor, sql::Database& database,
                                std::vector<ConsumerDeclaration> consumers,
                                const std::vector<std::string>& types) {
  executor_ = &executor;
  database_ = &database;
  types_ = types;
  for (ConsumerDeclaration& declaration : consumers) {
    auto made = std::make_unique<Consumer>();
    made->name = declaration.name;
    for (const auto& [type, operation] : declaration.handlers) {
      const api::Operation* found = executor.find(operation);
      if (!found || found->kind != api::OperationKind::command || !found->input)
        return fail(Category::invalid, "handler_invalid",
                    "The handler " + operation + " of " + type + " is not a command with an input.");
      if (std::ranges::find(types_, type) == types_.end())
        return fail(Category::invalid, "event_type_unknown",
                    operation + " handles " + type + ", which no module declares: say Module::event().");
      made->handlers.emplace(type, found);
    }
    consumers_.push_back(std::move(made));
  }
  return {};
}

std::vector<std::string> Consumers::names() const {
  std::vector<std::string> names;
  for (const auto& consumer : consumers_) names.push_back(consumer->name);
  return names;
}

const Consumers::Consumer& Consumers::find(std::string_view name) const {
  return **std::ranges::find(consumers_, name,
                             [](const auto& consumer) { return std::string_view(consumer->name); });
}

Async<void> Consumers::handle(const Consumer& consumer, const StoredEvent& event, Running& running) const {
  const api::Operation& operation = *consumer.handlers.find(event.type)->second;
  const auth::Principal principal = auth::system_principal();
  const std::string request_id = "event-" + event.id.to_string();
  api::Caller caller;
  caller.principal = &principal;
  caller.request_id = request_id;
  Received received(event);
  const api::Extra of_event(received);
  const api::Extra extra(running, &of_event);
  co_await ok(executor_->call_stored(operation, caller, event.data, &extra));
}

/// Handles one event, or parks it; `position` is where the consumer is, before and after.
Async<void> Consumers::pass(const Consumer& consumer, const StoredEvent& event, std::int64_t& position,
                            std::set<std::string>& parked_streams) const {
  const sql::CallContext context = sql::CallContext::read_committed();
  if (parked_streams.contains(event.stream)) {
    const Parking waiting(consumer.name, event, position, 0, clock_.now(),
                          "It waits behind another event of its stream.");
    co_await ok(database_->transact(context, &park, waiting));
    position = event.position;
    co_return;
  }
  Running running{consumer, event, position};
  Result<void> done = co_await handle(consumer, event, running);
  if (!done) {
    if (is_passing(done.error()) || done.error().code() == kConsumerLost.code)
      co_await std::unexpected(std::move(done.error()));
    log_warn("an event was parked", {{"consumer", consumer.name},
                                     {"position", event.position},
                                     {"type", event.type},
                                     {"why", done.error().detail()}});
    const Parking parking(consumer.name, event, position, 1, clock_.now() + wait_after(1),
                          done.error().summary());
    co_await ok(database_->transact(context, &park, parking));
    parked_streams.insert(event.stream);
  }
  position = event.position;
}

Async<std::set<std::string>> Consumers::streams_of_parked(const Consumer& consumer) const {
  const std::vector<ParkedEvent> waiting = co_await ok(database_->read(&read_parked, consumer.name));
  if (static_cast<std::int64_t>(waiting.size()) > kParkedMax)
    co_await fail(Category::internal, "too_many_parked",
                  "The consumer " + consumer.name + " has more than " + std::to_string(kParkedMax) +
                      " events that it could not handle; the first is at position " +
                      std::to_string(waiting.front().position) + ".");
  std::set<std::string> streams;
  for (const ParkedEvent& one : waiting) streams.insert(one.stream);
  co_return streams;
}

Async<std::int64_t> Consumers::pass_some(const Consumer& consumer) const {
  const EventLog log(*database_);
  const sql::CallContext context = sql::CallContext::read_committed();
  std::optional<std::int64_t> kept = co_await ok(database_->read(&read_position, consumer.name));
  if (!kept) {
    const std::int64_t first = co_await ok(log.first_position());
    co_await ok(database_->transact(context, &begin, consumer.name, first));
    kept = first;
  }
  const EventPage page = co_await ok(log.read(*kept, kPage));
  if (page.events.empty()) co_return 0;
  // Whoever parks another one moves the position, so what follows fails.
  std::set<std::string> parked_streams = co_await ok(streams_of_parked(consumer));
  std::int64_t position = *kept;  // as the database has it
  std::int64_t seen = *kept;      // with those that are of no interest
  for (const StoredEvent& event : page.events) {
    if (std::ranges::find(types_, event.type) == types_.end())
      co_await fail(Category::internal, "event_type_unknown",
                    "No module declares the type " + event.type + " of event " + event.id.to_string() +
                        " at position " + std::to_string(event.position) + ".");
    if (consumer.handlers.contains(event.type)) co_await ok(pass(consumer, event, position, parked_streams));
    seen = event.position;
  }
  if (seen > position) co_await ok(database_->transact(context, &move_only, consumer.name, position, seen));
  co_return static_cast<std::int64_t>(page.events.size());
}

Async<std::int64_t> Consumers::retry_parked(const Consumer& consumer) const {
  const EventLog log(*database_);
  const sql::CallContext context = sql::CallContext::read_committed();
  const Time now = clock_.now();
  const std::vector<ParkedEvent> due = co_await ok(database_->read(&read_due, consumer.name, now));
  for (const ParkedEvent& one : due) {
    const EventPage page = co_await ok(log.read(one.position - 1, 1));
    if (page.events.empty() || page.events.front().position != one.position) continue;
    const StoredEvent& event = page.events.front();
    Running running{consumer, event, std::nullopt};
    Result<void> done = co_await handle(consumer, event, running);
    if (done || done.error().code() == kConsumerLost.code) continue;
    if (is_passing(done.error())) co_await std::unexpected(std::move(done.error()));
    const Parking again(consumer.name, event, 0, 0, now + wait_after(one.attempts + 1),
                        done.error().summary());
    co_await ok(database_->transact(context, &failed_again, again));
  }
  co_return static_cast<std::int64_t>(due.size());
}

Async<std::int64_t> Consumers::run_some(std::string_view name) const {
  const Consumer& consumer = find(name);
  const std::int64_t retried = co_await ok(retry_parked(consumer));
  Result<std::int64_t> passed = co_await pass_some(consumer);
  if (passed) co_return retried + *passed;
  if (passed.error().code() != kConsumerLost.code) co_await std::unexpected(std::move(passed.error()));
  co_return retried + 1;  // another process was faster: look again
}

Async<void> Consumers::run(std::string_view name) const {
  for (;;) {
    const std::int64_t passed = co_await ok(run_some(name));
    if (passed == 0) co_await ok(sleep_for(kPause));
  }
}

Async<std::vector<ParkedEvent>> Consumers::parked(std::string_view name) const {
  const std::string of(name);
  std::vector<ParkedEvent> found = co_await ok(database_->read(&read_parked, of));
  co_return found;
}

Async<std::int64_t> Consumers::position(std::string_view name) const {
  const std::string of(name);
  const std::optional<std::int64_t> kept = co_await ok(database_->read(&read_position, of));
  co_return kept.value_or(0);
}

}  // namespace bedplate::events
