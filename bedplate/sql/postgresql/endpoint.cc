// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/postgresql/endpoint.h"

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

PostgresqlShare::PostgresqlShare(Loop& on, const PostgresqlOptions& settings, PostgresqlHelpers& dialing,
                                 PostgresqlCancellers& cancelling, PostgresqlSlowLog& logging,
                                 PostgresqlCounters& counting)
    : loop(on),
      options(settings),
      dialers(dialing),
      cancellers(cancelling),
      slow_log(logging),
      counters(counting),
      statements(settings.statements_max),
      tenant_setter(make_tenant_setter(statements)) {}

PostgresqlEndpoint::RetryTimer::RetryTimer(Loop& loop, PostgresqlEndpoint& of)
    : CoarseTimer(loop, [](CoarseTimer& timer) { static_cast<RetryTimer&>(timer).endpoint.try_again(); }),
      endpoint(of) {}

PostgresqlEndpoint::PostgresqlEndpoint(PostgresqlShare& share, std::string url)
    : share_(share),
      url_(std::move(url)),
      backoff_(kBackoffMin),
      retry_(share.loop, *this),
      gravedigger_(*this) {
  for (std::size_t i = 0; i < std::max<std::size_t>(1, share.options.read_connections); ++i)
    lines_.push_back(std::make_unique<PostgresqlLine>(*this));
  gravedigger_.run = [](Work* work) { static_cast<Gravedigger*>(work)->endpoint.dig(); };
}

// ---- shared reads

PostgresqlLine* PostgresqlEndpoint::pick_line() {
  PostgresqlLine* best = nullptr;
  for (const auto& line : lines_)
    if (line->live() && (!best || line->load() < best->load())) best = line.get();
  return best;
}

bool PostgresqlEndpoint::submit(PostgresqlSharedRead& read) {
  std::optional<Error>& error = read.statement->error;
  if (closed_) {
    error.emplace(postgresql_closed());
    return true;
  }
  if (PostgresqlLine* line = pick_line()) {
    using Sent = PostgresqlConnection::Sent;
    if (line->load() >= share_.options.queue_max) {
      error.emplace(busy_error());
      return true;
    }
    const Sent sent = line->send(read);
    if (sent != Sent::broken) return sent == Sent::refused;
    line->detach(read);
  }
  if (lines_down_ || parked_.size() >= share_.options.queue_max) {
    error.emplace(lines_down_ ? down_error() : busy_error());
    return true;
  }
  parked_.push_back(&read);
  fill_lines();
  return false;
}

void PostgresqlEndpoint::resubmit(PostgresqlSharedRead& read) {
  if (submit(read)) read.finish();
}

void PostgresqlEndpoint::withdraw(PostgresqlSharedRead& read) {
  std::erase(parked_, &read);
  for (const auto& line : lines_) line->detach(read);
}

void PostgresqlEndpoint::fill_lines() {
  if (closed_) return;
  for (const auto& line : lines_)
    if (!line->live() && !line->dialing) dial(PostgresqlRole::shared_reads, line.get());
}

void PostgresqlEndpoint::on_line_lost(PostgresqlLine& line) {
  count(share_.counters.lost);
  uncount(share_.counters.connections);
  bury(line.take_connection());
  fill_lines();
}

// ---- connections of one's own

bool PostgresqlEndpoint::AcquireOp::await_ready() {
  PostgresqlEndpoint& endpoint = *endpoint_;
  PostgresqlCounters& counters = endpoint.share_.counters;
  if (endpoint.closed_) {
    error.emplace(postgresql_closed());
  } else if (endpoint.owned_down_) {
    error.emplace(endpoint.down_error());
  } else if (!endpoint.idle_.empty() && !endpoint.first_) {
    owned_ = endpoint.idle_.back();
    endpoint.idle_.pop_back();
    owned_->lent_ = true;
    count(counters.busy);
  } else if (counters.waiting.load(std::memory_order_relaxed) >= endpoint.share_.options.queue_max) {
    count(counters.rejected);
    error.emplace(busy_error());
  } else {
    return false;
  }
  return true;
}

void PostgresqlEndpoint::AcquireOp::enqueue() {
  on_cancel = &AcquireOp::cancel;
  before_ = endpoint_->last_;
  (before_ ? before_->after_ : endpoint_->first_) = this;
  endpoint_->last_ = this;
  count(endpoint_->share_.counters.waiting);
  endpoint_->want_owned();
}

void PostgresqlEndpoint::AcquireOp::unlink() {
  (before_ ? before_->after_ : endpoint_->first_) = after_;
  (after_ ? after_->before_ : endpoint_->last_) = before_;
  uncount(endpoint_->share_.counters.waiting);
}

void PostgresqlEndpoint::AcquireOp::cancel(Op& op) {
  auto& self = static_cast<AcquireOp&>(op);
  self.unlink();
  self.error.emplace(self.scope->error());
  self.endpoint_->loop().resume_later(self);
}

// One more, if someone waits and none is on its way: those that come back serve the queue too.
void PostgresqlEndpoint::want_owned() {
  if (closed_ || !first_) return;
  if (owned_.size() + dialing_owned_ >= std::max<std::size_t>(1, share_.options.transaction_connections))
    return;
  dial(PostgresqlRole::owned, nullptr);
}

void PostgresqlEndpoint::lend(AcquireOp& op, PostgresqlOwned& owned) {
  op.unlink();
  op.owned_ = &owned;
  owned.lent_ = true;
  count(share_.counters.busy);
  loop().resume_later(op);
}

void PostgresqlEndpoint::give_back(PostgresqlOwned& owned) {
  if (std::exchange(owned.lent_, false)) uncount(share_.counters.busy);
  if (first_)
    lend(*first_, owned);
  else
    idle_.push_back(&owned);
}

// ---- making and losing connections

void PostgresqlEndpoint::dial(PostgresqlRole role, PostgresqlLine* line) {
  if (line)
    line->dialing = true;
  else
    ++dialing_owned_;
  share_.dialers.run([this, role, line] {
    Result<PostgresqlHandle> dialed = dial_postgresql(url_, share_.options, role, &share_.dialers.stopping());
    share_.loop.post_callable([this, role, line, dialed = std::move(dialed)]() mutable {
      on_dialed(role, line, std::move(dialed));
    });
  });
}

void PostgresqlEndpoint::on_dialed(PostgresqlRole role, PostgresqlLine* line,
                                   Result<PostgresqlHandle> dialed) {
  if (line)
    line->dialing = false;
  else
    --dialing_owned_;
  if (closed_) return;
  if (!dialed) return on_dial_failed(dialed.error());
  count(share_.counters.connects);
  if (role == PostgresqlRole::shared_reads) {
    if (!line->attach(std::move(*dialed))) return;
    count(share_.counters.connections);
  } else {
    auto owned = std::make_unique<PostgresqlOwned>(*this, std::move(*dialed));
    if (!owned->start_listening()) return;
    owned_.push_back(std::move(owned));
    count(share_.counters.connections);
    give_back(*owned_.back());
    want_owned();
  }
  if (std::exchange(lines_down_, false)) log_info("the database is back");
  owned_down_ = false;
  backoff_ = kBackoffMin;
  for (std::deque<PostgresqlSharedRead*> parked = std::exchange(parked_, {});
       PostgresqlSharedRead * read : parked)
    resubmit(*read);
  fill_lines();
}

bool PostgresqlEndpoint::has_line() const {
  return std::ranges::any_of(lines_, [](const auto& line) { return line->live(); });
}

void PostgresqlEndpoint::on_dial_failed(const Error& error) {
  count(share_.counters.connects_failed);
  if (!retry_.armed()) {
    log_warn("no connection to the database",
             {{"error", error.subject()}, {"again_in_ms", backoff_.count()}});
    retry_.arm(backoff_);
    backoff_ = std::min(2 * backoff_, kBackoffMax);
  }
  if (!has_line()) {
    lines_down_ = true;
    fail_parked(down_error());
  }
  if (owned_.empty()) {
    owned_down_ = true;
    fail_waiting(down_error());
  }
}

void PostgresqlEndpoint::try_again() {
  fill_lines();
  if (has_line()) owned_down_ = false;  // then the next that needs one tries
  want_owned();
}

Error PostgresqlEndpoint::down_error() const {
  return postgresql_unavailable(backoff_);
}

void PostgresqlEndpoint::fail_parked(const Error& error) {
  for (std::deque<PostgresqlSharedRead*> parked = std::exchange(parked_, {});
       PostgresqlSharedRead * read : parked)
    read->finish(error.clone());
}

void PostgresqlEndpoint::fail_waiting(const Error& error) {
  while (AcquireOp* op = first_) {
    op->unlink();
    op->error.emplace(error.clone());
    loop().resume_later(*op);
  }
}

void PostgresqlEndpoint::bury(PostgresqlOwned& owned) {
  if (std::exchange(owned.lent_, false)) uncount(share_.counters.busy);
  std::erase(idle_, &owned);
  auto found = std::ranges::find_if(owned_, [&](const auto& one) { return one.get() == &owned; });
  if (found != owned_.end()) {
    uncount(share_.counters.connections);
    dead_owned_.push_back(std::move(*found));
    owned_.erase(found);
  }
  if (!std::exchange(digging_, true)) loop().on_tick_end(gravedigger_);
  want_owned();
}

void PostgresqlEndpoint::bury(std::unique_ptr<PostgresqlConnection> connection) {
  dead_lines_.push_back(std::move(connection));
  if (!std::exchange(digging_, true)) loop().on_tick_end(gravedigger_);
}

void PostgresqlEndpoint::dig() {
  digging_ = false;
  std::erase_if(dead_lines_, [](const auto& line) { return line->disposable(); });
  std::erase_if(dead_owned_, [](const auto& owned) { return owned->connection_.disposable(); });
  const bool again = !dead_lines_.empty() || !dead_owned_.empty();
  if (again && !std::exchange(digging_, true)) loop().on_tick_end(gravedigger_);
}

void PostgresqlEndpoint::close() {
  closed_ = true;
  retry_.disarm();
  fail_parked(postgresql_closed());
  fail_waiting(postgresql_closed());
  for (const auto& line : lines_) line->close();
  std::vector<PostgresqlOwned*> owned;
  for (const auto& one : owned_) owned.push_back(one.get());
  for (PostgresqlOwned* one : owned) one->connection_.close();
}

}  // namespace bedplate::sql
