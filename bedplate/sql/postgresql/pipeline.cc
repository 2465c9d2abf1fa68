// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/postgresql/pipeline.h"

#include <cassert>
#include <string>
#include <utility>

#include "bedplate/base/log.h"
#include "bedplate/sql/error.h"
#include "bedplate/sql/postgresql/connection_pool.h"
#include "bedplate/sql/postgresql/error.h"
#include "bedplate/sql/postgresql/rows.h"

namespace bedplate::sql {
namespace {

// A read that is skipped this often has neighbours that fail all the time: it goes where it has none.
constexpr int kSendsMax = 100;

// Never seen by anyone: a body that ends with it starts again.
Error moved_error() {
  return Error(Category::internal, "read_moved", "The read starts again.");
}

std::string limits_text(const PostgresqlOptions& options) {
  return "SELECT set_config('transaction_read_only', 'on', true), set_config('statement_timeout', '" +
         std::to_string(options.shared_read_time_max_ms) + "', true)";
}

}  // namespace

// ---- the session

PostgresqlPipelinedRead::PostgresqlPipelinedRead(PostgresqlLoopState& state, PostgresqlPool& pool,
                                                 const CallContext& context)
    : state_(state), pool_(pool) {
  tenant = &context.tenant;
}

PostgresqlPipelinedRead::~PostgresqlPipelinedRead() {
  if (prepared) --prepared->in_flight;
}

bool PostgresqlPipelinedRead::start(Statement& asked) {
  assert(!statement &&
         "two statements at once on one session: each child of a gather() needs one of its own");
  if (!used_) {
    used_ = true;
    Result<PostgresqlStatement*> found = state_.statements.find(asked.sql);
    if (!found) {
      asked.error.emplace(std::move(found.error()));
      return true;
    }
    prepared = *found;
    ++prepared->in_flight;  // it is to be there at the end, to learn from this read
    moved_ = prepared->prefers_own();
  } else if (!moved_) {
    moved_ = true;
    if (prepared) prepared->needed_own();
  }
  if (moved_) {
    asked.error.emplace(moved_error());
    return true;
  }
  statement = &asked;
  asked.driver = static_cast<Session*>(this);
  asked.on_cancel = [](Op& op) {
    auto& cancelled = static_cast<Statement&>(op);
    static_cast<Session*>(cancelled.driver)->withdraw(cancelled);
    cancelled.error.emplace(cancelled.scope->error());
    Loop::current()->resume_later(cancelled);
  };
  if (!pool_.submit(*this)) return false;
  statement = nullptr;
  return true;
}

void PostgresqlPipelinedRead::withdraw(Statement&) {
  pool_.withdraw(*this);
  statement = nullptr;
}

void PostgresqlPipelinedRead::learn(int statements, bool quick) {
  if (!prepared) return;
  if (statements == 1 && quick) prepared->went_alone();
}

void PostgresqlPipelinedRead::finish() {
  Statement& done = *std::exchange(statement, nullptr);
  done.failed();
  state_.loop.resume_later(done);
}

void PostgresqlPipelinedRead::finish(Error error) {
  statement->error.emplace(std::move(error));
  finish();
}

void PostgresqlPipelinedRead::move() {
  moved_ = true;
  prepared->needed_own();
  finish(moved_error());
}

// ---- the connection

PostgresqlPipelinedConnection::Watchdog::Watchdog(PostgresqlPipelinedConnection& of)
    : CoarseTimer(of.pool_.loop(),
                  [](CoarseTimer& timer) { static_cast<Watchdog&>(timer).pipeline.look_for_life(); }),
      pipeline(of) {}

PostgresqlPipelinedConnection::PostgresqlPipelinedConnection(PostgresqlPool& pool)
    : pool_(pool), tick_end_(*this), watchdog_(*this) {
  tick_end_.run = [](Work* work) { static_cast<TickEnd*>(work)->pipeline.end_group(); };
}

bool PostgresqlPipelinedConnection::attach(PostgresqlHandle handle) {
  PostgresqlUser& user = *this;
  connection_ = std::make_unique<PostgresqlConnection>(pool_.loop(), std::move(handle), pool_.state().options,
                                                       pool_.state().slow_log, user);
  if (connection_->start()) return true;
  connection_.reset();
  return false;
}

PostgresqlConnection::Sent PostgresqlPipelinedConnection::send(PostgresqlPipelinedRead& read) {
  using Sent = PostgresqlConnection::Sent;
  if (!std::exchange(group_open_, true)) {
    pool_.loop().on_tick_end(tick_end_);
    const PostgresqlOptions& options = pool_.state().options;
    if (options.transaction_pooler &&
        !connection_->send_control(PostgresqlControl::setting, limits_text(options).c_str()))
      return Sent::broken;
  }
  if (!connection_->send_tenant(pool_.state().tenant_setter, *read.tenant)) return Sent::broken;
  return connection_->send(read);
}

void PostgresqlPipelinedConnection::end_group() {
  group_open_ = false;
  if (!live()) return;
  connection_->sync();
  connection_->forget_tenant();
  if (!watchdog_.armed()) watchdog_.arm(std::chrono::milliseconds(pool_.state().options.read_time_max_ms));
}

void PostgresqlPipelinedConnection::look_for_life() {
  if (!live() || connection_->idle()) return;
  const auto limit = std::chrono::milliseconds(pool_.state().options.read_time_max_ms);
  const auto silent = connection_->silence();
  if (silent >= limit) return connection_->give_up();
  watchdog_.arm(std::chrono::ceil<std::chrono::milliseconds>(limit - silent));
}

void PostgresqlPipelinedConnection::on_rows(PostgresqlCall& call, const PGresult* result) {
  auto& read = static_cast<PostgresqlPipelinedRead&>(call);
  take_postgresql_rows(*read.statement, *read.prepared, result, pool_.state().options);
  read.finish();
}

void PostgresqlPipelinedConnection::on_failed(PostgresqlCall& call, const PGresult* result) {
  auto& read = static_cast<PostgresqlPipelinedRead&>(call);
  switch (postgresql_fault(result)) {
    case PostgresqlFault::stale_plan:
      pool_.state().statements.renew(*read.prepared, call.generation);
      return send_again(call);
    case PostgresqlFault::missing_plan:
      return send_again(call);
    case PostgresqlFault::timeout:
    case PostgresqlFault::recovery:
    case PostgresqlFault::serialization:
      return read.move();
    case PostgresqlFault::statement:
    case PostgresqlFault::connection:
      return read.finish(postgresql_error(result, read.prepared->sql()));
  }
}

// Others must send what they asked again because of this one: the next time it has no neighbours.
void PostgresqlPipelinedConnection::on_too_large(PostgresqlCall& call) {
  auto& read = static_cast<PostgresqlPipelinedRead&>(call);
  read.prepared->needed_own();
  read.finish(postgresql_result_too_large());
}

void PostgresqlPipelinedConnection::send_again(PostgresqlCall& call) {
  auto& read = static_cast<PostgresqlPipelinedRead&>(call);
  pool_.state().counters.reads_resent.fetch_add(1, std::memory_order_relaxed);
  if (call.sends >= kSendsMax) return read.move();
  pool_.resubmit(read);
}

void PostgresqlPipelinedConnection::on_skipped(PostgresqlCall& call) {
  send_again(call);
}

void PostgresqlPipelinedConnection::on_described(PostgresqlCall& call) {
  pool_.resubmit(static_cast<PostgresqlPipelinedRead&>(call));
}

// The driver's own statements do not fail; if one does, the connection is not what it should be.
void PostgresqlPipelinedConnection::on_control(PostgresqlControl, const PGresult* result) {
  if (PQresultStatus(result) != PGRES_FATAL_ERROR) return;
  log_warn("a connection to the database is given up", {{"error", PQresultErrorMessage(result)}});
  connection_->give_up();
}

void PostgresqlPipelinedConnection::on_unanswered(PostgresqlCall& call) {
  send_again(call);
}

void PostgresqlPipelinedConnection::on_lost() {
  pool_.on_pipeline_lost(*this);
}

}  // namespace bedplate::sql
