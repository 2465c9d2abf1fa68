// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/worker_pool.h"

#include <pthread.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace bedplate {
namespace {

Error shutting_down() {
  return Error(Category::unavailable, "shutting_down", "The server is shutting down.");
}

}  // namespace

WorkerPool::WorkerPool(std::size_t threads, std::size_t queue_max, std::string name)
    : idle_(threads), queue_max_(queue_max), name_(std::move(name)) {
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

WorkerPool::~WorkerPool() {
  stop();
}

bool WorkerPool::enqueue(detail::PoolJob& job) {
  job.loop = Loop::current();
  if (!job.loop) {
    std::fputs("bedplate: WorkerPool::run() was awaited outside a loop\n", stderr);
    std::abort();
  }
  job.on_cancel = &WorkerPool::on_cancel;
  bool wake = false;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) {
      job.error.emplace(shutting_down());
      return false;
    }
    // A thread that is idle takes the job at once, so such a one does not count against the queue.
    if (queued_ >= queue_max_ + idle_) {
      ++refused_;
      job.error.emplace(
          Error(Category::unavailable, "busy", "The server has too much to do; try again in a moment.")
              .with_retry_after(std::chrono::seconds(1)));
      return false;
    }
    job.state = detail::PoolJob::State::queued;
    job.before = last_;
    job.after = nullptr;
    (last_ ? last_->after : first_) = &job;
    last_ = &job;
    ++queued_;
    wake = idle_ > 0;
  }
  if (wake) wake_.notify_one();
  return true;
}

void WorkerPool::unlink(detail::PoolJob& job) {
  (job.before ? job.before->after : first_) = job.after;
  (job.after ? job.after->before : last_) = job.before;
  --queued_;
}

void WorkerPool::on_cancel(Op& op) {
  auto& job = static_cast<detail::PoolJob&>(op);
  {
    std::lock_guard lock(job.pool->mutex_);
    if (job.state != detail::PoolJob::State::queued) return;  // it runs, and resumes when it is done
    job.pool->unlink(job);
    job.state = detail::PoolJob::State::idle;
  }
  job.error.emplace(job.scope->error());
  job.loop->resume_later(job);
}

void WorkerPool::work() {
  ::pthread_setname_np(::pthread_self(), name_.substr(0, 15).c_str());
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return first_ || stopping_; });
    if (stopping_) return;
    detail::PoolJob& job = *first_;
    unlink(job);
    job.state = detail::PoolJob::State::running;
    ++busy_;
    --idle_;
    lock.unlock();
    job.execute(job);
    // Counted before its caller goes on, who may look at the statistics. The job is gone once posted.
    lock.lock();
    --busy_;
    ++idle_;
    ++completed_;
    lock.unlock();
    job.run = [](Work* work) { static_cast<detail::PoolJob*>(work)->resume(); };
    job.loop->post(job);
    lock.lock();
  }
}

void WorkerPool::stop() {
  detail::PoolJob* job = nullptr;
  std::vector<std::thread> threads;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    job = first_;
    for (detail::PoolJob* queued = job; queued; queued = queued->after) {
      queued->state = detail::PoolJob::State::running;  // out of on_cancel's reach
      queued->error.emplace(shutting_down());
      queued->run = [](Work* work) { static_cast<detail::PoolJob*>(work)->resume(); };
    }
    first_ = last_ = nullptr;
    queued_ = 0;
    threads.swap(threads_);
  }
  wake_.notify_all();
  while (job) {
    detail::PoolJob* following = job->after;
    job->loop->post(*job);
    job = following;
  }
  for (std::thread& thread : threads) thread.join();
}

WorkerPoolStats WorkerPool::stats() const {
  std::lock_guard lock(mutex_);
  return {threads_.size(), queued_, busy_, completed_, refused_};
}

}  // namespace bedplate
