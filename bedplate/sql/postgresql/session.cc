// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/postgresql/session.h"

#include <cassert>
#include <charconv>
#include <string>
#include <system_error>
#include <utility>

#include "bedplate/base/log.h"
#include "bedplate/sql/error.h"
#include "bedplate/sql/postgresql/connection_pool.h"
#include "bedplate/sql/postgresql/error.h"
#include "bedplate/sql/postgresql/rows.h"

namespace bedplate::sql {
namespace {

// How long a connection may take to be itself again before it is thrown away.
constexpr std::chrono::milliseconds kRecoverTimeMax{5'000};
constexpr int kSendsMax = 4;

const char* begin_text(PostgresqlSession::Access access, Isolation isolation) {
  if (access == PostgresqlSession::Access::read) return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
  switch (isolation) {
    case Isolation::read_committed:
      return "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
    case Isolation::repeatable_read:
      return "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE";
    case Isolation::serializable:
      break;
  }
  return "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE";
}

// Behind a pooler a connection keeps no settings: what dial.cc sets once for each connection, for one transaction.
std::string pooled_text(const PostgresqlOptions& options, PostgresqlSession::Access access) {
  std::string text = "SELECT set_config('statement_timeout', '" +
                     std::to_string(options.command_time_max_ms) + "', true), set_config('lock_timeout', '" +
                     std::to_string(options.lock_time_max_ms) + "', true), set_config('jit', 'off', true)";
  if (access == PostgresqlSession::Access::write) text += ", set_config('enable_seqscan', 'off', true)";
  return text;
}

}  // namespace

std::optional<std::uint64_t> read_postgresql_lsn(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  std::uint32_t high = 0;
  std::uint32_t low = 0;
  const auto reads_all = [](std::string_view digits, std::uint32_t& into) {
    const char* const end = digits.data() + digits.size();
    const std::from_chars_result read = std::from_chars(digits.data(), end, into, 16);
    return read.ec == std::errc() && read.ptr == end;
  };
  if (!reads_all(text.substr(0, slash), high) || !reads_all(text.substr(slash + 1), low)) return std::nullopt;
  return std::uint64_t{high} << 32 | low;
}

PostgresqlSession::Timer::Timer(Loop& loop, PostgresqlSession& of)
    : CoarseTimer(loop, [](CoarseTimer& timer) { static_cast<Timer&>(timer).session.expire(); }),
      session(of) {}

PostgresqlSession::PostgresqlSession(PostgresqlPool& pool, PostgresqlHandle handle)
    : pool_(pool),
      timer_(pool.loop(), *this),
      connection_(pool.loop(), std::move(handle), pool.state().options, pool.state().slow_log, *this) {}

// ---- statements

void PostgresqlSession::begin(Access access, const CallContext& context, std::chrono::milliseconds time_max) {
  phase_ = Phase::open;
  access_ = access;
  context_ = &context;
  begun_ = failed_ = may_run_again_ = cancelled_ = committed_ = rolling_back_ = false;
  statements_ = 0;
  control_error_.reset();
  failure_.reset();
  mark_ = {};
  tenant = &context.tenant;
  connection_.forget_tenant();
  timer_.arm(time_max);
}

bool PostgresqlSession::start(Statement& asked) {
  assert(!statement &&
         "two statements at once on one session: each child of a gather() needs one of its own");
  ++statements_;
  if (failed_) {
    if (control_error_)
      asked.error = std::exchange(control_error_, std::nullopt);
    else
      asked.error.emplace(Category::internal, kTransactionFailed, "The server met an unexpected fault.");
    return true;
  }
  failed_ = true;  // until it is known to be well
  Result<PostgresqlStatement*> found = pool_.state().statements.find(asked.sql);
  if (!found) {
    asked.error.emplace(std::move(found.error()));
    failure_.note(*asked.error, asked.sql);
    return true;
  }
  statement = &asked;
  prepared = *found;
  sends = 0;
  ++prepared->in_flight;
  asked.driver = static_cast<Session*>(this);
  asked.on_cancel = [](Op& op) {
    auto& cancelled = static_cast<Statement&>(op);
    static_cast<Session*>(cancelled.driver)->withdraw(cancelled);
    cancelled.error.emplace(cancelled.scope->error());
    Loop::current()->resume_later(cancelled);
  };
  failed_ = false;
  if (send_statement()) return false;
  failed_ = true;
  failure_.note(*asked.error, asked.sql);
  statement = nullptr;
  unpin();
  return true;
}

bool PostgresqlSession::send_begin() {
  if (begun_) return true;
  begun_ = true;
  const PostgresqlOptions& options = pool_.state().options;
  const Isolation isolation = context_->isolation.value_or(options.isolation);
  if (!connection_.send_control(PostgresqlControl::begin, begin_text(access_, isolation))) return false;
  if (options.transaction_pooler &&
      !connection_.send_control(PostgresqlControl::setting, pooled_text(options, access_).c_str()))
    return false;
  // A read's snapshot is not in the way of others, and some are quickest by a scan.
  if (access_ == Access::read && !options.transaction_pooler &&
      !connection_.send_control(PostgresqlControl::setting, "SET LOCAL enable_seqscan TO DEFAULT"))
    return false;
  return connection_.send_tenant(pool_.state().tenant_setter, context_->tenant);
}

// False: the statement has an error and waits for nothing.
bool PostgresqlSession::send_statement() {
  using Sent = PostgresqlConnection::Sent;
  Sent sent = send_begin() ? connection_.send(*this) : Sent::broken;
  if (sent == Sent::sent && connection_.sync()) return true;
  if (sent == Sent::refused) {
    connection_.sync();  // BEGIN may have been sent
    return false;
  }
  connection_.detach(*this);
  may_run_again_ = true;
  statement->error.emplace(postgresql_unavailable());
  return false;
}

void PostgresqlSession::unpin() {
  if (prepared) --std::exchange(prepared, nullptr)->in_flight;
}

void PostgresqlSession::finish(std::optional<Error> error) {
  Statement& done = *std::exchange(statement, nullptr);
  unpin();
  if (error) {
    failed_ = true;
    done.error = std::move(error);
  }
  if (done.error) failure_.note(*done.error, done.sql);
  done.failed();
  pool_.loop().resume_later(done);
}

void PostgresqlSession::withdraw(Statement&) {
  connection_.detach(*this);
  statement = nullptr;
  unpin();
  failed_ = true;
  stop_server();
}

void PostgresqlSession::on_rows(PostgresqlCall&, const PGresult* result) {
  take_postgresql_rows(*statement, *prepared, result, pool_.state().options);
  if (statement->error) failed_ = true;
  finish(std::nullopt);
}

void PostgresqlSession::on_failed(PostgresqlCall&, const PGresult* result) {
  if (access_ == Access::write && postgresql_is_read_only(result)) {
    // The primary has become a standby: another server takes writes now, or none.
    connection_.give_up();
    return finish(postgresql_unavailable());
  }
  switch (postgresql_fault(result)) {
    case PostgresqlFault::stale_plan:
      pool_.state().statements.renew(*prepared, generation);
      [[fallthrough]];
    case PostgresqlFault::missing_plan:
    case PostgresqlFault::serialization:
    case PostgresqlFault::recovery:
      may_run_again_ = true;
      break;
    default:
      break;
  }
  finish(postgresql_error(result, prepared->sql()));
}

void PostgresqlSession::on_too_large(PostgresqlCall&) {
  finish(postgresql_result_too_large());
}

void PostgresqlSession::on_skipped(PostgresqlCall&) {
  if (control_error_) return finish(std::exchange(control_error_, std::nullopt));
  finish(Error(Category::internal, kTransactionFailed, "The server met an unexpected fault."));
}

void PostgresqlSession::on_described(PostgresqlCall&) {
  if (sends < kSendsMax && send_statement()) return;
  std::optional<Error> error = std::exchange(statement->error, std::nullopt);
  finish(error ? std::move(error) : postgresql_fault_of_ours());
}

void PostgresqlSession::on_unanswered(PostgresqlCall&) {
  may_run_again_ = true;
  finish(postgresql_unavailable());
}

// ---- the end

void PostgresqlSession::send_end(EndOp& op) {
  ending_ = &op;
  if (phase_ == Phase::gone) {  // before COMMIT was sent
    may_run_again_ = true;
    fail_end(postgresql_unavailable());
    return pool_.discard(*this);
  }
  phase_ = Phase::ending;
  const bool sent =
      send_begin() && connection_.send_control(PostgresqlControl::commit, "COMMIT") &&
      (!context_->committed || pool_.state().options.replica_urls.empty() ||
       connection_.send_control(PostgresqlControl::mark, "SELECT pg_current_wal_insert_lsn()::text")) &&
      connection_.sync();
  timer_.arm(std::chrono::milliseconds(pool_.state().options.command_time_max_ms));
  // Nothing of it is known to have reached the server, or to have not.
  if (!sent && ending_) fail_end(postgresql_commit_unknown());
}

void PostgresqlSession::on_control(PostgresqlControl what, const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_PIPELINE_ABORTED) return;
  if (status == PGRES_FATAL_ERROR) {
    may_run_again_ = postgresql_fault(result) == PostgresqlFault::serialization;
    control_error_ = postgresql_error(result, "");
    if (what != PostgresqlControl::commit) failed_ = true;
    return;
  }
  if (what == PostgresqlControl::commit)
    committed_ = std::string_view(PQcmdStatus(const_cast<PGresult*>(result))) == "COMMIT";
  if (what == PostgresqlControl::rollback) rolling_back_ = false;
  if (what == PostgresqlControl::mark && PQntuples(result) == 1)
    mark_ = CommitPosition(read_postgresql_lsn(PQgetvalue(result, 0, 0)).value_or(0));
}

void PostgresqlSession::on_synced() {
  if (phase_ == Phase::ending && connection_.idle()) return settle_end();
  if (phase_ == Phase::recovering) recover();
}

// COMMIT is answered: it is durable, or it is undone.
void PostgresqlSession::settle_end() {
  if (!committed_) {
    std::optional<Error> error = std::exchange(control_error_, std::nullopt);
    return fail_end(
        error ? std::move(*error)
              : Error(Category::internal, kTransactionFailed, "The server met an unexpected fault."));
  }
  EndOp& op = *std::exchange(ending_, nullptr);
  phase_ = Phase::idle;
  timer_.disarm();
  pool_.loop().resume_later(op);
  pool_.give_back(*this);
}

void PostgresqlSession::fail_end(Error error) {
  EndOp& op = *std::exchange(ending_, nullptr);
  op.error.emplace(std::move(error));
  pool_.loop().resume_later(op);
  if (phase_ != Phase::gone) abandon();
}

void PostgresqlSession::abandon() {
  if (phase_ == Phase::gone) return pool_.discard(*this);
  phase_ = Phase::recovering;
  timer_.arm(kRecoverTimeMax);
  recover();
}

// Step by step, as answers come: nothing runs, nobody is about to stop it, and no transaction is open.
void PostgresqlSession::recover() {
  if (connection_.broken() || !connection_.idle() || cancel_.on_its_way()) return;
  if (PQtransactionStatus(connection_.handle()) == PQTRANS_IDLE) {
    phase_ = Phase::idle;
    timer_.disarm();
    return pool_.give_back(*this);
  }
  if (std::exchange(rolling_back_, true)) return connection_.give_up();  // it has failed before
  if (connection_.send_control(PostgresqlControl::rollback, "ROLLBACK")) connection_.sync();
}

void PostgresqlSession::stop_server() {
  if (cancelled_ || connection_.broken() || connection_.idle()) return;
  cancelled_ = true;
  cancel_ = pool_.state().cancellers.send(connection_.handle(), pool_.loop(), [this] { on_cancel_sent(); });
}

void PostgresqlSession::on_cancel_sent() {
  cancel_ = {};
  if (phase_ == Phase::recovering) recover();
}

// The time of the transaction, of its COMMIT, or of its recovery is over.
void PostgresqlSession::expire() {
  if (phase_ == Phase::open && statement) {
    connection_.detach(*this);
    finish(postgresql_timeout());
    return stop_server();
  }
  if (phase_ == Phase::open) {
    failed_ = true;  // its next statement finds it so, or its end
    control_error_ = postgresql_timeout();
    return;
  }
  if (phase_ == Phase::ending || phase_ == Phase::recovering) connection_.give_up();
}

void PostgresqlSession::on_lost() {
  timer_.disarm();
  cancel_ = {};  // what it may still hit is nobody's
  pool_.state().counters.lost.fetch_add(1, std::memory_order_relaxed);
  const Phase phase = std::exchange(phase_, Phase::gone);
  if (phase == Phase::ending && ending_) fail_end(postgresql_commit_unknown());
  if (phase == Phase::open && !failed_) {  // whose statements so far went well
    may_run_again_ = true;
    control_error_ = postgresql_unavailable();
  }
  failed_ = true;
  // One that is lent is discarded when it is given back.
  if (phase != Phase::open) pool_.discard(*this);
}

}  // namespace bedplate::sql
