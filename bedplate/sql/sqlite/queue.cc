// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/sqlite/queue.h"

#include <cassert>
#include <chrono>
#include <utility>

#include "bedplate/sql/error.h"

namespace bedplate::sql {

SqliteJob::SqliteJob(SqliteQueue& queue) : queue_(queue) {
  on_cancel = &SqliteJob::cancel;
  run = [](Work* work) { static_cast<SqliteJob*>(work)->resume(); };
}

bool SqliteJob::submit() {
  loop_ = Loop::current();
  assert(loop_ && "a database is used from a coroutine on a Loop");
  if (scope) deadline_ = scope->deadline();
  std::optional<Error> refused = queue_.push(*this);
  if (!refused) return true;
  error = std::move(refused);
  forget();
  return false;
}

void SqliteJob::cancel(Op& op) {
  auto& job = static_cast<SqliteJob&>(op);
  if (!job.queue_.remove(job)) return;  // it has begun: its answer comes
  job.error.emplace(job.scope->error());
  job.loop_->resume_later(job);
}

std::optional<Error> SqliteQueue::push(SqliteJob& job) {
  bool wake = false;
  {
    std::lock_guard lock(mutex_);
    if (closed_) return Error(Category::unavailable, kDatabaseClosed, "The server is shutting down.");
    if (size() >= size_max_) {
      rejected_.fetch_add(1, std::memory_order_relaxed);
      return Error(Category::unavailable, kDatabaseBusy, "Too much waits for the database. Try again.")
          .with_retry_after(std::chrono::seconds(1));
    }
    job.queued_ = true;
    job.before_ = last_;
    job.after_ = nullptr;
    (last_ ? last_->after_ : first_) = &job;
    last_ = &job;
    size_.store(size() + 1, std::memory_order_relaxed);
    wake = sleepers_ > 0;
  }
  if (wake) filled_.notify_one();
  return std::nullopt;
}

void SqliteQueue::unlink(SqliteJob& job) {
  (job.before_ ? job.before_->after_ : first_) = job.after_;
  (job.after_ ? job.after_->before_ : last_) = job.before_;
  job.queued_ = false;
  size_.store(size() - 1, std::memory_order_relaxed);
}

bool SqliteQueue::remove(SqliteJob& job) {
  std::lock_guard lock(mutex_);
  if (!job.queued_) return false;
  unlink(job);
  return true;
}

void SqliteQueue::take_locked(std::vector<SqliteJob*>& out, std::size_t count_max) {
  for (; count_max > 0 && first_; --count_max) {
    out.push_back(first_);
    unlink(*first_);
  }
}

void SqliteQueue::take(std::vector<SqliteJob*>& out, std::size_t count_max) {
  if (size() == 0) return;
  std::lock_guard lock(mutex_);
  take_locked(out, count_max);
}

bool SqliteQueue::wait_and_take(std::vector<SqliteJob*>& out, std::size_t count_max) {
  std::unique_lock lock(mutex_);
  ++sleepers_;
  filled_.wait(lock, [this] { return first_ || closed_; });
  --sleepers_;
  if (!first_) return false;
  take_locked(out, count_max);
  return true;
}

void SqliteQueue::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  filled_.notify_all();
}

}  // namespace bedplate::sql
