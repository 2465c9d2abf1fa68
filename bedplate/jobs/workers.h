// SPDX-License-Identifier: Apache-2.0
// Workers: run the jobs of this process, queue by queue, on the loops for background work. app::Host makes them.
//
//   Workers workers(settings, clock, metrics);
//   host.commit_with(workers.completion());
//   workers.prepare(executor, database, declarations);     // once, before anything runs
//   co_await workers.run_queue("mail");                    // a background task each
//   co_await workers.keep_alive();                         // another one
//   workers.drain();                                       // nothing new begins; waits for what runs
//
// A job is an operation, which the executor runs as the system (auth::system_principal), on behalf of the user whose
// call enqueued it.
//
// - A command's effect and its completion are one commit: it takes effect exactly once, whatever dies when. A commit
//   hook moves the job out of its table where this claim still holds it; where not (`job_lost`) everything rolls back.
// - A procedure, which talks to the outside, runs at least once; its completion is a transaction of its own behind it.
// - Each process has a row that says that it lives (every `jobs.beat_ms`). What ran in one that was not heard of for
//   `jobs.dead_after_ms` is available again; a job whose process died three times is dead (`killed_its_worker`). With
//   SQLite one process owns the data, so its start makes available whatever the last one left.
// - A kind that this program does not declare stays where it is.
//
// prepare() and drain() are the main thread's; the rest is safe on any loop.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/base/result.h"
#include "bedplate/base/time.h"
#include "bedplate/execution/commit_hook.h"
#include "bedplate/jobs/declaration.h"
#include "bedplate/jobs/settings.h"
#include "bedplate/jobs/store.h"

namespace bedplate::api {
class Executor;
struct Operation;
}  // namespace bedplate::api
namespace bedplate::telemetry {
class Registry;
}

namespace bedplate::jobs {

class Workers {
 public:
  /// `settings`, `clock` and `metrics` outlive it.
  Workers(const JobSettings& settings, const Clock& clock, telemetry::Registry& metrics);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Takes part in every commit.
  api::CommitHook& completion();
  /// Fails, with a sentence, where a job names an operation that does not exist.
  Result<void> prepare(api::Executor& executor, sql::Database& database,
                       std::vector<Declaration> declarations);
  /// With jobs, in the order of their names.
  std::vector<std::string> queues() const;

  /// Runs the jobs of a queue until its scope is cancelled; then those that run are cancelled and put back.
  Async<void> run_queue(std::string_view queue);
  /// Says that this process lives, gives jobs of dead ones to others, deletes old history, until it is cancelled.
  Async<void> keep_alive();
  /// Says once that this process lives; without that it claims nothing. Its jobs that are to be cancelled.
  Async<std::vector<JobId>> beat();
  /// What a process left that was the only one: available again. How many.
  Async<std::int64_t> rescue_all();
  /// The process goes: others need not wait for its time to pass.
  Async<void> sign_off();
  /// Nothing new begins; waits until nothing runs, or for `jobs.drain_ms`. Blocks.
  void drain();

  // ---- For tests, without background tasks.

  /// Runs what is due, one after another, until nothing is. How many attempts that were.
  Async<std::int64_t> run_due();
  /// When the next one is due.
  Async<std::optional<Time>> next_due();

 private:
  struct Kind;
  struct Queue;
  struct Running;
  class Completion;
  enum class Ending : std::uint8_t;

  Queue& queue_named(const std::string& name);
  bool is_heard() const;
  Async<std::vector<Claimed>> claim(Queue& queue, std::int64_t most);
  Async<void> put_back_unknown(Queue& queue);
  Async<void> start_some(Queue& queue);
  Async<void> run_one(Queue& queue, Running& running);
  Async<void> invoke(Running& running);
  static Ending ending_of(const Running& running, const Result<void>& done);
  static std::chrono::milliseconds wait_after(const Running& running, const Error& error);
  Async<void> settle(Queue& queue, Running& running, Result<void> done);
  Async<void> write(const Running& running, Ending ending, const Result<void>& done,
                    const std::optional<Time>& again);
  Async<void> wait_until_empty(Queue& queue);
  Async<void> keep_alive_once();
  Async<void> delete_history();
  void begin(Queue& queue, Claimed job);
  void reap(Queue& queue);
  std::chrono::nanoseconds pause_of(const Queue& queue) const;

  const JobSettings& settings_;
  const Clock& clock_;
  telemetry::Registry& metrics_;
  const Uuid id_;
  const std::string host_;
  std::unique_ptr<Completion> completion_;
  api::Executor* executor_ = nullptr;
  sql::Database* database_ = nullptr;
  std::vector<std::unique_ptr<Queue>> queues_;
  std::atomic<bool> draining_ = false;
  std::atomic<std::int64_t> beaten_ns_ = 0;  ///< when it last said that it lives, by the steady clock
  std::chrono::steady_clock::time_point unbroken_since_;  ///< of keep_alive() and what runs before it
  std::mutex mutex_;                                      ///< for running_count_
  std::condition_variable idle_;
  std::int64_t running_count_ = 0;
};

}  // namespace bedplate::jobs
