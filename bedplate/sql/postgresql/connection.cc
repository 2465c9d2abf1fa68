// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/postgresql/connection.h"

#include <algorithm>
#include <utility>

#include "bedplate/base/log.h"
#include "bedplate/sql/postgresql/error.h"

namespace bedplate::sql {

PostgresqlConnection::PostgresqlConnection(Loop& loop, PostgresqlHandle handle,
                                           const PostgresqlOptions& options, PostgresqlSlowLog& slow_log,
                                           PostgresqlUser& user)
    : FdWatch(loop, PQsocket(handle.get())),
      handle_(std::move(handle)),
      options_(options),
      slow_log_(slow_log),
      user_(user),
      incoming_(PQsocket(handle_.get())),
      loser_(*this) {
  loser_.run = [](Work* work) {
    PostgresqlConnection& self = static_cast<Loser*>(work)->connection;
    self.loses_later_ = false;
    self.lose();
  };
}

PostgresqlConnection::~PostgresqlConnection() {
  for (Flight& flight : in_flight_)
    if (flight.prepared) --flight.prepared->in_flight;
  static_cast<void>(want(false, false));  // before libpq closes the descriptor
}

bool PostgresqlConnection::start() {
  PQsetnonblocking(handle_.get(), 1);
  return PQenterPipelineMode(handle_.get()) == 1 && want(true, false).has_value();
}

// ---- sending

std::uint32_t& PostgresqlConnection::has(const PostgresqlStatement& statement) {
  if (statement.slot() >= has_.size()) has_.resize(statement.slot() + 1, 0);
  return has_[statement.slot()];
}

bool PostgresqlConnection::push(int sent, Flight flight) {
  if (sent != 1) {
    log_warn("a connection to the database failed", {{"error", PQerrorMessage(handle_.get())}});
    lose_later();
    return false;
  }
  flight.since = loop().now();
  if (flight.prepared) ++flight.prepared->in_flight;
  in_flight_.push_back(flight);
  return true;
}

void PostgresqlConnection::pop() {
  if (in_flight_.front().prepared) --in_flight_.front().prepared->in_flight;
  in_flight_.pop_front();
  answered_ = false;
}

// Gives the server the statement to keep, with the types that it was described with. What had this slot
// before goes.
bool PostgresqlConnection::prepare(PostgresqlStatement& statement, PostgresqlCall* call) {
  std::uint32_t& prepared = has(statement);
  if (prepared == statement.generation()) return true;
  if (prepared != 0) {
    const std::string text = "DEALLOCATE " + PostgresqlStatement::name_of(statement.slot(), prepared);
    if (!send_control(PostgresqlControl::setting, text.c_str())) return false;
  }
  prepared = statement.generation();
  const auto& types = statement.types();
  const int sent = PQsendPrepare(handle_.get(), statement.name().c_str(), statement.sql().c_str(),
                                 static_cast<int>(types.size()), types.data());
  return push(
      sent,
      {.kind = Kind::prepare, .call = call, .prepared = &statement, .generation = statement.generation()});
}

// With a pooler the name is empty: the statement lives until the group's end, which is all it needs.
bool PostgresqlConnection::send_description(PostgresqlCall& call) {
  PostgresqlStatement& statement = *call.prepared;
  std::string name;
  if (options_.transaction_pooler) {
    const int sent = PQsendPrepare(handle_.get(), "", statement.sql().c_str(), 0, nullptr);
    if (!push(sent, {.kind = Kind::prepare, .call = &call, .prepared = &statement})) return false;
  } else {
    if (!prepare(statement, &call)) return false;
    name = statement.name();
  }
  return push(
      PQsendDescribePrepared(handle_.get(), name.c_str()),
      {.kind = Kind::describe, .call = &call, .prepared = &statement, .generation = statement.generation()});
}

std::optional<Error> PostgresqlConnection::set_arguments(PostgresqlCall& call) {
  const Statement& statement = *call.statement;
  const std::vector<Oid>& types = call.prepared->types();
  if (statement.params.size() == types.size())
    return arguments_.set(statement.params, types, options_.value_size_max_bytes);
  log_error("a statement was given a wrong number of parameters",
            {{"given", statement.params.size()}, {"needed", types.size()}, {"sql", statement.sql}});
  return postgresql_fault_of_ours();
}

PostgresqlConnection::Sent PostgresqlConnection::send(PostgresqlCall& call) {
  if (broken_) return Sent::broken;
  ++call.sends;
  PostgresqlStatement& statement = *call.prepared;
  call.generation = statement.generation();
  if (!statement.described()) return send_description(call) ? Sent::sent : Sent::broken;
  if (std::optional<Error> wrong = set_arguments(call)) {
    call.statement->error = std::move(wrong);
    return Sent::refused;
  }
  int sent = 0;
  if (options_.transaction_pooler) {
    sent = PQsendQueryParams(handle_.get(), statement.sql().c_str(), arguments_.count(),
                             statement.types().data(), arguments_.values(), arguments_.lengths(),
                             arguments_.formats(), 1);
  } else {
    if (!prepare(statement, &call)) return Sent::broken;
    sent = PQsendQueryPrepared(handle_.get(), statement.name().c_str(), arguments_.count(),
                               arguments_.values(), arguments_.lengths(), arguments_.formats(), 1);
  }
  return push(sent, {.kind = Kind::query,
                     .call = &call,
                     .prepared = &statement,
                     .generation = statement.generation(),
                     .name = call.statement->name})
             ? Sent::sent
             : Sent::broken;
}

bool PostgresqlConnection::send_tenant(PostgresqlStatement& setter, const std::optional<Uuid>& tenant) {
  if (tenant == tenant_) return true;
  if (broken_) return false;
  char text[36];
  if (tenant) tenant->write(text);
  const char* values[] = {text};
  const int lengths[] = {tenant ? 36 : 0};
  const int formats[] = {1};
  int sent = 0;
  if (options_.transaction_pooler) {
    sent = PQsendQueryParams(handle_.get(), setter.sql().c_str(), 1, setter.types().data(), values, lengths,
                             formats, 1);
  } else {
    if (!prepare(setter, nullptr)) return false;
    sent = PQsendQueryPrepared(handle_.get(), setter.name().c_str(), 1, values, lengths, formats, 1);
  }
  tenant_ = tenant;
  return push(sent, {.kind = Kind::control, .prepared = &setter, .generation = setter.generation()});
}

bool PostgresqlConnection::send_control(PostgresqlControl what, const char* sql) {
  if (broken_) return false;
  const int sent = PQsendQueryParams(handle_.get(), sql, 0, nullptr, nullptr, nullptr, nullptr, 1);
  return push(sent, {.kind = Kind::control, .control = what});
}

bool PostgresqlConnection::sync() {
  if (broken_) return false;
  return push(PQpipelineSync(handle_.get()), {.kind = Kind::sync}) && flush();
}

bool PostgresqlConnection::flush() {
  const int left = PQflush(handle_.get());
  if (left >= 0 && want(true, left == 1)) return true;
  lose_later();
  return false;
}

void PostgresqlConnection::detach(const PostgresqlCall& call) {
  for (Flight& flight : in_flight_)
    if (flight.call == &call) flight.call = nullptr;
}

// ---- answers

void PostgresqlConnection::on_ready(bool readable, bool writable) {
  if (broken_) return;
  if (readable) {
    incoming_.before_read();
    if (PQconsumeInput(handle_.get()) != 1) return lose();
    incoming_.after_read();
    if (incoming_.bytes() > options_.result_size_max_bytes) return end_too_large();
  }
  if (writable && !flush()) return;
  read_answers();
  if (!broken_ && PQstatus(handle_.get()) == CONNECTION_BAD) lose();
}

void PostgresqlConnection::read_answers() {
  PGconn* connection = handle_.get();
  bool nothing = false;
  while (!broken_ && PQisBusy(connection) == 0) {
    PostgresqlResult result(PQgetResult(connection));
    if (PQstatus(connection) == CONNECTION_BAD) return lose();
    if (!result) {
      if (answered_) {
        pop();
        nothing = false;
        continue;
      }
      // After an idle time the first of these only makes libpq turn to what was sent since.
      if (in_flight_.empty() || std::exchange(nothing, true)) return;
      continue;
    }
    nothing = false;
    // In an aborted group libpq leaves the end mark of an answer out when something is sent behind it.
    if (answered_) pop();
    if (in_flight_.empty()) return;  // a farewell of the server
    Flight& front = in_flight_.front();
    if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) {
      pop();
      user_.on_synced();
      continue;
    }
    answered_ = true;
    const bool is_query = front.kind == Kind::query;
    take(front, result.get());
    incoming_.restart();
    last_answer_ = loop().now();
    if (is_query) last_rows_ = last_answer_;
  }
}

// Reading on to the end would take the server's time and ours for rows that nobody gets: the server stops when it finds
// that nobody listens.
void PostgresqlConnection::end_too_large() {
  if (answered_) pop();
  const Flight* front = in_flight_.empty() ? nullptr : &in_flight_.front();
  log_error("an answer of the database is too large, and its connection is ended",
            {{"bytes", incoming_.bytes()}, {"sql", front && front->prepared ? front->prepared->sql() : ""}});
  if (PostgresqlCall* call = front ? front->call : nullptr) {
    detach(*call);
    user_.on_too_large(*call);
  }
  lose();
}

void PostgresqlConnection::take(Flight& flight, const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  const bool skipped = status == PGRES_PIPELINE_ABORTED;
  const bool good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
  if (!good && !skipped && postgresql_fault(result) == PostgresqlFault::connection) {
    log_warn("the database ended a connection", {{"error", PQresultErrorMessage(result)}});
    return lose();
  }
  if (!good && flight.kind != Kind::control) return take_failure(flight, result, skipped);
  switch (flight.kind) {
    case Kind::describe:
      if (flight.generation == flight.prepared->generation() && !flight.prepared->described())
        flight.prepared->set_description(result);
      if (PostgresqlCall* call = std::exchange(flight.call, nullptr)) user_.on_described(*call);
      break;
    case Kind::query:
      note_run(flight, false);
      if (PostgresqlCall* call = std::exchange(flight.call, nullptr)) user_.on_rows(*call, result);
      break;
    case Kind::control:
      user_.on_control(flight.control, result);
      break;
    case Kind::prepare:
      flight.prepared->forget_rows();
      break;
    case Kind::sync:
      break;
  }
}

// What failed, or was skipped, because of preparing counts for the call that it was prepared for.
void PostgresqlConnection::take_failure(Flight& flight, const PGresult* result, bool skipped) {
  if (flight.kind == Kind::prepare && flight.prepared) {
    std::uint32_t& prepared = has(*flight.prepared);
    if (prepared == flight.generation) prepared = 0;
    if (skipped) return;  // its query or description is skipped too
  }
  if (!skipped && postgresql_fault(result) == PostgresqlFault::missing_plan) {
    std::uint32_t& prepared = has(*flight.prepared);
    if (prepared == flight.generation) prepared = 0;
  }
  PostgresqlCall* call = flight.call;
  if (!call) return;
  if (!skipped) note_run(flight, true);
  constexpr std::size_t kFlightsOfCall = 3;  // side by side, and this one is the oldest
  for (std::size_t i = 0; i < std::min(kFlightsOfCall, in_flight_.size()); ++i)
    if (in_flight_[i].call == call) in_flight_[i].call = nullptr;
  if (skipped)
    user_.on_skipped(*call);
  else
    user_.on_failed(*call, result);
}

// What the server did before it took this one up is not this one's time. It sends what it has when a group ends, so of
// a group's queries the first has the time of all, and what was prepared for a query counts as its own.
void PostgresqlConnection::note_run(const Flight& flight, bool failed) {
  if (!flight.prepared) return;
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(loop().now() -
                                                                          std::max(flight.since, last_rows_));
  const bool slow = options_.slow_query_ms > 0 && took >= std::chrono::milliseconds(options_.slow_query_ms);
  slow_log_.statements().note(flight.name, {took.count(), failed, slow});
  if (slow) slow_log_.note(took.count() / 1'000, flight.name, flight.prepared->sql());
}

Loop::TimePoint::duration PostgresqlConnection::silence() const {
  if (in_flight_.empty()) return {};
  return loop().now() - std::max(in_flight_.front().since, last_answer_);
}

// ---- the end

void PostgresqlConnection::lose_later() {
  if (broken_ || std::exchange(loses_later_, true)) return;
  loop().on_tick_end(loser_);
}

void PostgresqlConnection::lose() {
  if (std::exchange(broken_, true)) return;
  static_cast<void>(want(false, false));
  std::deque<Flight> unanswered = std::exchange(in_flight_, {});
  const PostgresqlCall* last = nullptr;  // what belongs to one call is side by side
  for (Flight& flight : unanswered) {
    if (flight.prepared) --flight.prepared->in_flight;
    if (!flight.call || flight.call == last) continue;
    last = flight.call;
    user_.on_unanswered(*flight.call);
  }
  user_.on_lost();
}

}  // namespace bedplate::sql
