// SPDX-License-Identifier: Apache-2.0
#include "bedplate/redis/connection.h"

#include <algorithm>
#include <tuple>

#include "bedplate/base/log.h"

namespace bedplate::redis {
namespace {

constexpr std::size_t kBufferKept = 256 << 10;
constexpr int kSilentTimeouts = 2;  // a server that is silent for so many call time-outs is away

Error away() {
  return Error(Category::unavailable, "cache_unavailable", "The cache cannot be reached.")
      .with_retry_after(std::chrono::seconds(1));
}

}  // namespace

// ---- PipelineOp

bool PipelineOp::start() {
  on_cancel = &PipelineOp::cancelled;
  return connection_->enqueue(*this);
}

void PipelineOp::cancelled(Op& op) {
  auto& self = static_cast<PipelineOp&>(op);
  self.connection_->abandon(self);
  self.error.emplace(self.scope->error());
  self.connection_->loop_.resume_later(self);
}

// ---- Connection

Connection::Connection(Loop& loop, std::shared_ptr<Dialer> dialer, Endpoint endpoint,
                       std::shared_ptr<ConnectionCounters> counters)
    : PreciseTimer(loop, &Connection::deadline_passed),
      loop_(loop),
      dialer_(std::move(dialer)),
      endpoint_(std::move(endpoint)),
      counters_(std::move(counters)) {
  Work::run = &Connection::at_tick_end;
}

Connection::~Connection() {
  counters_->running.fetch_sub(1, std::memory_order_release);
}

std::shared_ptr<Connection> Connection::start(Loop& loop, std::shared_ptr<Dialer> dialer, Endpoint endpoint,
                                              std::shared_ptr<ConnectionCounters> counters) {
  counters->running.fetch_add(1, std::memory_order_relaxed);
  std::shared_ptr<Connection> self(
      new Connection(loop, std::move(dialer), std::move(endpoint), std::move(counters)));
  Connection::run(self).detach(&self->scope_);
  return self;
}

void Connection::close() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  fail_all(away());
  if (session_) session_->close();
  scope_.cancel(Category::cancelled);
}

// ---- connecting

Async<void> Connection::run(std::shared_ptr<Connection> self) {
  while (self->state_ != State::closed) {
    Result<void> ended = co_await self->serve_once();
    if (self->state_ == State::closed) break;
    const bool was_ready = self->state_ == State::ready;
    if (self->session_) self->session_->close();  // a write may still wait on it
    self->session_.reset();
    self->fail_all(away());
    self->state_ = was_ready ? State::connecting : State::away;
    if (was_ready) {
      self->counters_->connected.fetch_sub(1, std::memory_order_relaxed);
      log_warn("the connection to the cache was lost",
               {{"address", self->endpoint_.to_string()}, {"why", ended ? "" : ended.error().detail()}});
      continue;
    }
    self->counters_->connect_failures.fetch_add(1, std::memory_order_relaxed);
    if (self->attempts_failed_++ == 0)
      log_warn("the cache cannot be reached",
               {{"address", self->endpoint_.to_string()}, {"why", ended ? "" : ended.error().detail()}});
    std::ignore = co_await sleep_for(self->dialer_->backoff(self->attempts_failed_));
  }
  if (self->session_) self->counters_->connected.fetch_sub(1, std::memory_order_relaxed);
  self->session_.reset();
}

// One connection from its beginning to its end.
Async<void> Connection::serve_once() {
  auto session = std::make_shared<Session>(dialer_);
  co_await ok(session->open(endpoint_));
  if (state_ == State::closed) {
    session->close();
    co_return;
  }
  if (attempts_failed_ > 0) log_info("the cache is back", {{"address", endpoint_.to_string()}});
  counters_->connects.fetch_add(1, std::memory_order_relaxed);
  counters_->connected.fetch_add(1, std::memory_order_relaxed);
  attempts_failed_ = 0;
  session_ = session;
  cluster_ = session->is_cluster();
  state_ = State::ready;
  heard_at_ = loop_.now();
  if (!unsent_.empty()) schedule_write();
  co_await ok(read_replies(*session));
}

Async<void> Connection::read_replies(Session& session) {
  for (;;) {
    co_await ok(session.read());
    heard_at_ = loop_.now();
    for (;;) {
      Result<std::optional<Reply>> reply = session.next();
      if (!reply) {
        session.close();
        co_await std::unexpected(std::move(reply.error()));
      }
      if (!*reply) break;
      if ((*reply)->kind == Reply::Kind::push) continue;  // nobody here has subscribed to anything
      if (requests_.empty()) {
        session.close();
        co_await fail(Category::malformed, "redis_protocol",
                      "Unexpected reply from Redis: no command waits for it.");
      }
      take(std::move(**reply));
    }
  }
}

// ---- requests

bool Connection::enqueue(PipelineOp& op) {
  const Options& options = dialer_->options();
  counters_->calls.fetch_add(1, std::memory_order_relaxed);
  if (state_ == State::away || state_ == State::closed) {
    counters_->failures.fetch_add(1, std::memory_order_relaxed);
    op.error.emplace(away());
    return false;
  }
  if (requests_.size() >= options.pending_max ||
      unsent_.size() + op.wire_.size() > options.unsent_bytes_max) {
    counters_->failures.fetch_add(1, std::memory_order_relaxed);
    op.error.emplace(Error(Category::unavailable, "cache_busy", "Too many requests wait for the cache.")
                         .with_retry_after(std::chrono::seconds(1)));
    return false;
  }
  const Loop::TimePoint deadline = loop_.now() + options.call_timeout;
  for (std::size_t i = 1; i < op.commands_; ++i) requests_.push_back({nullptr, deadline});
  op.place_ = first_place_ + requests_.size();
  requests_.push_back({&op, deadline});
  unsent_.append(op.wire_);
  if (!armed()) arm_deadline();
  if (state_ == State::ready) schedule_write();
  return true;
}

void Connection::abandon(PipelineOp& op) {
  requests_[op.place_ - first_place_].op = nullptr;
}

void Connection::take(Reply reply) {
  PipelineOp* op = requests_.front().op;
  requests_.pop_front();
  ++first_place_;
  if (!op) return;
  op->reply_ = std::move(reply);
  op->forget();
  op->scope = nullptr;
  loop_.resume_later(*op);
}

void Connection::fail_op(PipelineOp& op, Error why) {
  counters_->failures.fetch_add(1, std::memory_order_relaxed);
  op.error.emplace(std::move(why));
  op.forget();
  op.scope = nullptr;
  loop_.resume_later(op);
}

void Connection::fail_all(const Error& why) {
  for (Request& request : requests_)
    if (request.op) fail_op(*request.op, why.clone());
  first_place_ += requests_.size();
  requests_.clear();
  unsent_.shrink_to(kBufferKept);
  disarm();
}

// ---- writing

void Connection::schedule_write() {
  if (write_scheduled_ || writing_) return;
  write_scheduled_ = shared_from_this();
  loop_.on_tick_end(*this);
}

void Connection::at_tick_end(Work* work) {
  auto* raw = static_cast<Connection*>(work);
  std::shared_ptr<Connection> self = std::move(raw->write_scheduled_);
  if (self->state_ != State::ready || self->writing_ || self->unsent_.empty()) return;
  self->writing_ = true;
  write_out(self, self->session_).detach(nullptr);
}

// Until nothing is left to be sent on this connection. What fails here shows in the read.
Async<void> Connection::write_out(std::shared_ptr<Connection> self, std::shared_ptr<Session> session) {
  Buffer sending;
  while (self->session_ == session && !self->unsent_.empty()) {
    sending.shrink_to(kBufferKept);
    sending.swap(self->unsent_);
    Result<void> written = co_await session->write(sending.view());
    if (written) continue;
    session->close();
    break;
  }
  self->writing_ = false;
  if (self->state_ == State::ready && !self->unsent_.empty()) self->schedule_write();
}

// ---- deadlines

void Connection::arm_deadline() {
  for (const Request& request : requests_)
    if (request.op) return arm(request.deadline);
  // Nobody waits, but replies are due: look again whether the server is there at all.
  if (!requests_.empty()) arm(loop_.now() + dialer_->options().call_timeout);
}

void Connection::deadline_passed(PreciseTimer& timer) {
  auto& self = static_cast<Connection&>(timer);
  const Loop::TimePoint now = std::chrono::steady_clock::now();
  for (Request& request : self.requests_) {
    if (request.deadline > now) break;
    if (!request.op) continue;
    self.counters_->timeouts.fetch_add(1, std::memory_order_relaxed);
    PipelineOp* op = std::exchange(request.op, nullptr);
    self.fail_op(*op, Error(Category::timeout, "cache_timeout", "The cache did not answer in time."));
  }
  const auto silence = kSilentTimeouts * self.dialer_->options().call_timeout;
  const bool silent =
      !self.requests_.empty() && now - self.heard_at_ > silence &&
      now - (self.requests_.front().deadline - self.dialer_->options().call_timeout) >= silence;
  if (silent && self.session_) return self.session_->close();  // read_replies() ends, and run() begins anew
  self.arm_deadline();
}

}  // namespace bedplate::redis
