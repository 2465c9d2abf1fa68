// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/postgresql/connection_pool.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "bedplate/base/log.h"
#include "bedplate/sql/error.h"
#include "bedplate/sql/postgresql/error.h"

namespace bedplate::sql {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kBackoffMin{100};
constexpr milliseconds kBackoffMax{5'000};

Error busy_error() {
  return Error(Category::unavailable, kDatabaseBusy, "Too much waits for the database. Try again.")
      .with_retry_after(std::chrono::seconds(1));
}

void count(std::atomic<std::uint64_t>& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
}
void uncount(std::atomic<std::uint64_t>& gauge) {
  gauge.fetch_sub(1, std::memory_order_relaxed);
}

PostgresqlStatement& make_tenant_setter(PostgresqlStatements& statements) {
  PostgresqlStatement& setter = **statements.find("SELECT set_config('bedplate.tenant', $1, true)");
  setter.declare({oid::kText});
  ++setter.in_flight;  // it stays
  return setter;
}

}  // namespace

PostgresqlLoopState::PostgresqlLoopState(Loop& on, const PostgresqlOptions& settings,
                                         PostgresqlHelpers& dialing, PostgresqlCancellers& cancelling,
                                         PostgresqlSlowLog& logging, PostgresqlCounters& counting)
    : loop(on),
      options(settings),
      dialers(dialing),
      cancellers(cancelling),
      slow_log(logging),
      counters(counting),
      statements(settings.statements_max),
      tenant_setter(make_tenant_setter(statements)) {}

PostgresqlPool::RetryTimer::RetryTimer(Loop& loop, PostgresqlPool& of)
    : CoarseTimer(loop, [](CoarseTimer& timer) { static_cast<RetryTimer&>(timer).pool.try_again(); }),
      pool(of) {}

PostgresqlPool::PostgresqlPool(PostgresqlLoopState& state, std::string url)
    : state_(state),
      url_(std::move(url)),
      backoff_(kBackoffMin),
      retry_(state.loop, *this),
      deferred_delete_(*this) {
  for (std::size_t i = 0; i < std::max<std::size_t>(1, state.options.read_connections); ++i)
    pipelines_.push_back(std::make_unique<PostgresqlPipelinedConnection>(*this));
  deferred_delete_.run = [](Work* work) { static_cast<DeferredDelete*>(work)->pool.delete_discarded(); };
}

// ---- shared reads

PostgresqlPipelinedConnection* PostgresqlPool::pick_pipeline() {
  PostgresqlPipelinedConnection* best = nullptr;
  for (const auto& pipeline : pipelines_)
    if (pipeline->live() && (!best || pipeline->load() < best->load())) best = pipeline.get();
  return best;
}

bool PostgresqlPool::submit(PostgresqlPipelinedRead& read) {
  std::optional<Error>& error = read.statement->error;
  if (closed_) {
    error.emplace(postgresql_closed());
    return true;
  }
  if (PostgresqlPipelinedConnection* pipeline = pick_pipeline()) {
    using Sent = PostgresqlConnection::Sent;
    if (pipeline->load() >= state_.options.queue_max) {
      error.emplace(busy_error());
      return true;
    }
    const Sent sent = pipeline->send(read);
    if (sent != Sent::broken) return sent == Sent::refused;
    pipeline->detach(read);
  }
  if (pipelines_down_ || parked_.size() >= state_.options.queue_max) {
    error.emplace(pipelines_down_ ? down_error() : busy_error());
    return true;
  }
  parked_.push_back(&read);
  fill_pipelines();
  return false;
}

void PostgresqlPool::resubmit(PostgresqlPipelinedRead& read) {
  if (submit(read)) read.finish();
}

void PostgresqlPool::withdraw(PostgresqlPipelinedRead& read) {
  std::erase(parked_, &read);
  for (const auto& pipeline : pipelines_) pipeline->detach(read);
}

void PostgresqlPool::fill_pipelines() {
  if (closed_) return;
  for (const auto& pipeline : pipelines_)
    if (!pipeline->live() && !pipeline->dialing) dial(PostgresqlRole::shared_reads, pipeline.get());
}

void PostgresqlPool::on_pipeline_lost(PostgresqlPipelinedConnection& pipeline) {
  count(state_.counters.lost);
  uncount(state_.counters.connections);
  discard(pipeline.take_connection());
  fill_pipelines();
}

// ---- connections of one's own

bool PostgresqlPool::AcquireOp::await_ready() {
  PostgresqlPool& pool = *pool_;
  PostgresqlCounters& counters = pool.state_.counters;
  if (pool.closed_) {
    error.emplace(postgresql_closed());
  } else if (pool.sessions_down_) {
    error.emplace(pool.down_error());
  } else if (!pool.idle_.empty() && !pool.first_) {
    session_ = pool.idle_.back();
    pool.idle_.pop_back();
    session_->lent_ = true;
    count(counters.busy);
  } else if (counters.waiting.load(std::memory_order_relaxed) >= pool.state_.options.queue_max) {
    count(counters.rejected);
    error.emplace(busy_error());
  } else {
    return false;
  }
  return true;
}

void PostgresqlPool::AcquireOp::enqueue() {
  on_cancel = &AcquireOp::cancel;
  before_ = pool_->last_;
  (before_ ? before_->after_ : pool_->first_) = this;
  pool_->last_ = this;
  count(pool_->state_.counters.waiting);
  pool_->want_session();
}

void PostgresqlPool::AcquireOp::unlink() {
  (before_ ? before_->after_ : pool_->first_) = after_;
  (after_ ? after_->before_ : pool_->last_) = before_;
  uncount(pool_->state_.counters.waiting);
}

void PostgresqlPool::AcquireOp::cancel(Op& op) {
  auto& self = static_cast<AcquireOp&>(op);
  self.unlink();
  self.error.emplace(self.scope->error());
  self.pool_->loop().resume_later(self);
}

// One more, if someone waits and none is on its way: those that come back serve the queue too.
void PostgresqlPool::want_session() {
  if (closed_ || !first_) return;
  if (sessions_.size() + dialing_sessions_ >=
      std::max<std::size_t>(1, state_.options.transaction_connections))
    return;
  dial(PostgresqlRole::session, nullptr);
}

void PostgresqlPool::lend(AcquireOp& op, PostgresqlSession& session) {
  op.unlink();
  op.session_ = &session;
  session.lent_ = true;
  count(state_.counters.busy);
  loop().resume_later(op);
}

void PostgresqlPool::give_back(PostgresqlSession& session) {
  if (std::exchange(session.lent_, false)) uncount(state_.counters.busy);
  if (first_)
    lend(*first_, session);
  else
    idle_.push_back(&session);
}

// ---- making and losing connections

void PostgresqlPool::dial(PostgresqlRole role, PostgresqlPipelinedConnection* pipeline) {
  if (pipeline)
    pipeline->dialing = true;
  else
    ++dialing_sessions_;
  state_.dialers.run([this, role, pipeline] {
    Result<PostgresqlHandle> dialed = dial_postgresql(url_, state_.options, role, &state_.dialers.stopping());
    state_.loop.post_callable([this, role, pipeline, dialed = std::move(dialed)]() mutable {
      on_dialed(role, pipeline, std::move(dialed));
    });
  });
}

void PostgresqlPool::on_dialed(PostgresqlRole role, PostgresqlPipelinedConnection* pipeline,
                               Result<PostgresqlHandle> dialed) {
  if (pipeline)
    pipeline->dialing = false;
  else
    --dialing_sessions_;
  if (closed_) return;
  if (!dialed) return on_dial_failed(dialed.error());
  count(state_.counters.connects);
  if (role == PostgresqlRole::shared_reads) {
    if (!pipeline->attach(std::move(*dialed))) return;
    count(state_.counters.connections);
  } else {
    auto session = std::make_unique<PostgresqlSession>(*this, std::move(*dialed));
    if (!session->start_listening()) return;
    sessions_.push_back(std::move(session));
    count(state_.counters.connections);
    give_back(*sessions_.back());
    want_session();
  }
  if (std::exchange(pipelines_down_, false)) log_info("the database is back");
  sessions_down_ = false;
  backoff_ = kBackoffMin;
  for (std::deque<PostgresqlPipelinedRead*> parked = std::exchange(parked_, {});
       PostgresqlPipelinedRead * read : parked)
    resubmit(*read);
  fill_pipelines();
}

bool PostgresqlPool::has_pipeline() const {
  return std::ranges::any_of(pipelines_, [](const auto& pipeline) { return pipeline->live(); });
}

void PostgresqlPool::on_dial_failed(const Error& error) {
  count(state_.counters.connects_failed);
  if (!retry_.armed()) {
    log_warn("no connection to the database",
             {{"error", error.subject()}, {"again_in_ms", backoff_.count()}});
    retry_.arm(backoff_);
    backoff_ = std::min(2 * backoff_, kBackoffMax);
  }
  if (!has_pipeline()) {
    pipelines_down_ = true;
    fail_parked(down_error());
  }
  if (sessions_.empty()) {
    sessions_down_ = true;
    fail_waiting(down_error());
  }
}

void PostgresqlPool::try_again() {
  fill_pipelines();
  if (has_pipeline()) sessions_down_ = false;  // then the next that needs one tries
  want_session();
}

Error PostgresqlPool::down_error() const {
  return postgresql_unavailable(backoff_);
}

void PostgresqlPool::fail_parked(const Error& error) {
  for (std::deque<PostgresqlPipelinedRead*> parked = std::exchange(parked_, {});
       PostgresqlPipelinedRead * read : parked)
    read->finish(error.clone());
}

void PostgresqlPool::fail_waiting(const Error& error) {
  while (AcquireOp* op = first_) {
    op->unlink();
    op->error.emplace(error.clone());
    loop().resume_later(*op);
  }
}

void PostgresqlPool::discard(PostgresqlSession& session) {
  if (std::exchange(session.lent_, false)) uncount(state_.counters.busy);
  std::erase(idle_, &session);
  auto found = std::ranges::find_if(sessions_, [&](const auto& one) { return one.get() == &session; });
  if (found != sessions_.end()) {
    uncount(state_.counters.connections);
    discarded_sessions_.push_back(std::move(*found));
    sessions_.erase(found);
  }
  if (!std::exchange(delete_scheduled_, true)) loop().on_tick_end(deferred_delete_);
  want_session();
}

void PostgresqlPool::discard(std::unique_ptr<PostgresqlConnection> connection) {
  discarded_connections_.push_back(std::move(connection));
  if (!std::exchange(delete_scheduled_, true)) loop().on_tick_end(deferred_delete_);
}

void PostgresqlPool::delete_discarded() {
  delete_scheduled_ = false;
  std::erase_if(discarded_connections_, [](const auto& pipeline) { return pipeline->disposable(); });
  std::erase_if(discarded_sessions_, [](const auto& session) { return session->connection_.disposable(); });
  const bool again = !discarded_connections_.empty() || !discarded_sessions_.empty();
  if (again && !std::exchange(delete_scheduled_, true)) loop().on_tick_end(deferred_delete_);
}

void PostgresqlPool::close() {
  closed_ = true;
  retry_.disarm();
  fail_parked(postgresql_closed());
  fail_waiting(postgresql_closed());
  for (const auto& pipeline : pipelines_) pipeline->close();
  std::vector<PostgresqlSession*> open;
  for (const auto& one : sessions_) open.push_back(one.get());
  for (PostgresqlSession* one : open) one->connection_.close();
}

}  // namespace bedplate::sql
