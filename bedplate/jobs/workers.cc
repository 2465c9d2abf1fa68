// SPDX-License-Identifier: Apache-2.0
#include "bedplate/jobs/workers.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "bedplate/async/shield.h"
#include "bedplate/async/timer.h"
#include "bedplate/async/wake.h"
#include "bedplate/base/log.h"
#include "bedplate/base/random.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/describe/validate.h"
#include "bedplate/execution/executor.h"
#include "bedplate/jobs/attempt.h"
#include "bedplate/operations/value_slot.h"
#include "bedplate/telemetry/metrics.h"

namespace bedplate::jobs {

struct Workers::Kind {
  Declaration declaration;
  const api::Operation* operation = nullptr;
};

struct Workers::Running {
  Running(Claimed claimed, const Kind& what)
      : job(std::move(claimed)),
        kind(what),
        claim(job.id, job.fence),
        attempt(job.id, job.attempt, job.attempt + 1 >= what.declaration.attempts) {}

  Claimed job;
  const Kind& kind;
  Claim claim;
  Attempt attempt;
  Scope scope;
  bool cancel_asked = false;
  bool stopped = false;    ///< the process stops
  bool completed = false;  ///< by the hook, in the transaction that committed
  bool ended = false;
};

struct Workers::Queue {
  std::string name;
  std::unordered_map<std::string, Kind> kinds;  ///< by every name that they have or had
  std::optional<ClaimText> text;
  Wake wake;
  sql::Subscription subscription;
  std::list<Running> running;
  std::uint64_t claims = 0;
  Time mark{};  ///< what was due before this has been taken, as far as the last claims saw
  std::chrono::steady_clock::time_point swept;
  std::optional<Time> next;  ///< when the next one is due, as of the last look
  bool more = false;         ///< the last claim was full

  std::mutex mutex;  ///< for to_cancel
  std::vector<JobId> to_cancel;

  telemetry::Counter done, failed, dead, cancelled, lost;
  telemetry::Histogram wait, run_time;
};

/// Moves a command's job out of its table, in the command's own transaction.
class Workers::Completion final : public api::CommitHook {
 public:
  explicit Completion(const Clock& clock) : clock_(clock) {}

  Async<void> before_commit(const api::Commit& commit, sql::Transaction& tx) override {
    api::Arguments arguments(commit.caller);
    arguments.extra = commit.extra;
    auto* running = commit.extra ? arguments.find_extra<Running>() : nullptr;
    const bool of_job = running && commit.operation == running->kind.operation &&
                        commit.operation->kind == api::OperationKind::command;
    if (!of_job) co_return;
    const Time now = clock_.now();
    if (running->attempt.snoozed())
      co_await ok(store::give_back(tx, running->claim, now + *running->attempt.snoozed()));
    else
      co_await ok(store::complete(tx, running->claim, now));
    running->completed = true;
  }

 private:
  const Clock& clock_;
};

namespace {

constexpr std::chrono::seconds kSweepEvery{2};
constexpr std::chrono::seconds kMarkSlack{5};  // clocks of processes that enqueue differ
constexpr std::chrono::hours kRetryAfterMax{24};
constexpr std::uint64_t kEvenClaims = 8;  // every eighth takes the least urgent first, so nothing starves
constexpr std::size_t kErrorSizeMax = 1024;

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "unknown";
}

double random_unit() {
  return static_cast<double>(random_u64() >> 11) / static_cast<double>(1ULL << 53);
}

double seconds_between(Time from, Time to) {
  return std::max(0.0, std::chrono::duration<double>(to - from).count());
}

// Without values: what an error says to clients.
std::string text_of(const Error& error) {
  std::string text = error.code() + ": " + error.detail();
  if (text.size() > kErrorSizeMax) text.resize(kErrorSizeMax);
  while (!text.empty() && !is_valid_utf8(text)) text.pop_back();
  return text;
}

sql::CallContext own_context() {
  sql::CallContext context;
  context.isolation = sql::Isolation::read_committed;
  return context;
}

}  // namespace

Workers::Workers(const JobSettings& settings, const Clock& clock, telemetry::Registry& metrics)
    : settings_(settings),
      clock_(clock),
      metrics_(metrics),
      id_(new_uuid()),
      host_(host_name()),
      completion_(std::make_unique<Completion>(clock)) {}

Workers::~Workers() = default;

api::CommitHook& Workers::completion() {
  return *completion_;
}

Result<void> Workers::prepare(api::Executor& executor, sql::Database& database,
                              std::vector<Declaration> declarations) {
  executor_ = &executor;
  database_ = &database;
  for (Declaration& declaration : declarations) {
    const api::Operation* operation = executor.find(declaration.name);
    if (!operation)
      return bedplate::fail(Category::internal, "job_unknown",
                            fmt::format("The job {} has no operation.", declaration.name));
    auto queue = std::ranges::find(queues_, declaration.queue, [](const auto& one) { return one->name; });
    if (queue == queues_.end()) {
      queues_.push_back(std::make_unique<Queue>());
      queues_.back()->name = declaration.queue;
      queue = queues_.end() - 1;
    }
    std::vector<std::string> names = declaration.former_names;
    names.push_back(declaration.name);
    const Kind kind{std::move(declaration), operation};
    for (std::string& name : names)
      if (!(*queue)->kinds.emplace(name, kind).second)
        return bedplate::fail(Category::internal, "job_twice",
                              fmt::format("Two jobs have, or had, the name {}.", name));
  }
  std::ranges::sort(queues_, {}, [](const auto& queue) { return queue->name; });
  for (const auto& queue : queues_) {
    std::vector<std::string> kinds;
    for (const auto& [name, kind] : queue->kinds) kinds.push_back(name);
    std::ranges::sort(kinds);
    queue->text.emplace(database.dialect(), kinds);
    const auto counter = [&](const char* outcome) {
      return metrics_.counter("bedplate_jobs_ended_total", "Attempts of jobs, by how they ended",
                              {{"queue", queue->name}, {"outcome", outcome}});
    };
    queue->done = counter("done");
    queue->failed = counter("failed");
    queue->dead = counter("dead");
    queue->cancelled = counter("cancelled");
    queue->lost = counter("lost");
    queue->wait = metrics_.histogram("bedplate_jobs_wait_seconds", "From when a job was due to when it began",
                                     {{"queue", queue->name}});
    queue->run_time =
        metrics_.histogram("bedplate_jobs_run_seconds", "How long attempts took", {{"queue", queue->name}});
  }
  return {};
}

std::vector<std::string> Workers::queues() const {
  std::vector<std::string> names;
  for (const auto& queue : queues_) names.push_back(queue->name);
  return names;
}

Async<std::vector<Claimed>> Workers::claim(Queue& queue, std::int64_t most) {
  const Time now = clock_.now();
  const auto steady_now = std::chrono::steady_clock::now();
  const bool sweep = steady_now - queue.swept > kSweepEvery;
  ClaimRequest request;
  request.queue = queue.name;
  request.worker = id_;
  request.most = most;
  request.now = now;
  request.mark = sweep || !queue.more ? Time{} : queue.mark;
  request.lowest_first = ++queue.claims % kEvenClaims == 0;
  const sql::CallContext context = own_context();
  std::vector<Claimed> jobs = co_await ok(database_->transact(context, &store::claim, *queue.text, request));
  if (request.mark == Time{}) queue.swept = steady_now;
  queue.more = static_cast<std::int64_t>(jobs.size()) == most;
  if (!jobs.empty())
    queue.mark =
        std::ranges::min(jobs, {}, [](const Claimed& job) { return job.run_at; }).run_at - kMarkSlack;
  co_return jobs;
}

void Workers::begin(Queue& queue, Claimed job) {
  const Kind& kind = queue.kinds.at(job.kind);
  queue.wait.observe(seconds_between(job.run_at, clock_.now()));
  Running& running = queue.running.emplace_back(std::move(job), kind);
  {
    std::lock_guard lock(mutex_);
    ++running_count_;
  }
  run_one(queue, running).detach(&running.scope);
}

void Workers::reap(Queue& queue) {
  const std::size_t ended =
      std::erase_if(queue.running, [](const Running& running) { return running.ended; });
  if (ended == 0) return;
  std::lock_guard lock(mutex_);
  running_count_ -= static_cast<std::int64_t>(ended);
  if (running_count_ == 0) idle_.notify_all();
}

Async<void> Workers::start_some(Queue& queue) {
  queue.more = true;
  while (queue.more && !draining_) {
    const std::int64_t room = settings_.concurrency - static_cast<std::int64_t>(queue.running.size());
    if (room <= 0) co_return;
    std::vector<Claimed> jobs = co_await ok(claim(queue, room));
    for (Claimed& job : jobs) begin(queue, std::move(job));
    reap(queue);
  }
  queue.next = co_await ok(database_->read(&store::next_due, queue.name));
}

std::chrono::nanoseconds Workers::pause_of(const Queue& queue) const {
  const std::chrono::nanoseconds poll = std::chrono::milliseconds(settings_.poll_ms);
  if (!queue.next || draining_ || queue.running.size() >= static_cast<std::size_t>(settings_.concurrency))
    return poll;
  const std::chrono::nanoseconds until = *queue.next - clock_.now();
  if (until.count() <= 0)
    return poll;  // due and not claimed: the queue is paused, or the kind is not known here
  return std::clamp(until, std::chrono::nanoseconds(std::chrono::milliseconds(1)), poll);
}

Async<void> Workers::wait_until_empty(Queue& queue) {
  for (reap(queue); !queue.running.empty(); reap(queue))
    std::ignore = co_await queue.wake.wait_for(std::chrono::seconds(1));
}

Async<void> Workers::run_queue(std::string_view name) {
  const auto found =
      std::ranges::find(queues_, name, [](const auto& one) { return std::string_view(one->name); });
  Queue& queue = **found;
  queue.subscription = database_->announcements().subscribe(topic_of(queue.name), queue.wake);
  for (;;) {
    reap(queue);
    Result<void> started = co_await start_some(queue);
    const Result<bool> woken = co_await queue.wake.wait_for(pause_of(queue));
    if (!started && woken)
      log_warn("jobs could not be claimed", {{"queue", queue.name}, {"why", started.error().detail()}});
    {
      std::lock_guard lock(queue.mutex);
      for (const JobId id : std::exchange(queue.to_cancel, {}))
        for (Running& running : queue.running)
          if (running.job.id == id && !running.ended) running.cancel_asked = true;
    }
    for (Running& running : queue.running)
      if (running.cancel_asked && !running.scope.cancelled()) running.scope.cancel(Category::cancelled);
    if (woken) continue;  // no: the queue itself is cancelled
    for (Running& running : queue.running) {
      if (running.ended) continue;
      running.stopped = true;
      running.scope.cancel(Category::cancelled);
    }
    co_await shielded(wait_until_empty(queue));
    queue.subscription = {};
    co_await std::unexpected(Error(Category::cancelled, "cancelled", "The queue was stopped."));
  }
}

// ---- one attempt

Async<void> Workers::invoke(Running& running) {
  const api::Operation& operation = *running.kind.operation;
  api::ValueSlot input(operation.input);
  api::ValueSlot output(operation.output);
  if (operation.input) {
    Faults faults;
    JsonLimits limits;
    limits.view = View::stored;
    limits.ignore_unknown_fields = true;  // of a newer program
    co_await ok(read_json(running.job.input, *operation.input, input.data(), faults, limits));
    validate(*operation.input, input.data(), faults);
    if (!faults.empty()) co_await std::unexpected(std::move(faults).to_error());
  }
  std::optional<auth::UserId> act;
  if (running.job.act) act = auth::UserId{*running.job.act};
  auth::Principal principal = auth::system_principal(act);
  principal.tenant = running.job.tenant_id;
  const std::string request_id = "job-" + running.job.id.to_string();
  api::Caller caller;
  caller.principal = &principal;
  caller.request_id = request_id;
  const api::Extra attempt(running.attempt);
  const api::Extra extra(running, &attempt);
  api::Call call(operation, caller);
  call.input = input.data();
  call.output = output.data();
  call.extra = &extra;
  co_await ok(executor_->admit(call, 0));
  Deadline deadline(*Loop::current(), running.scope);
  deadline.start(running.kind.declaration.timeout);
  Result<void> done = co_await executor_->run(call);
  deadline.stop();
  if (!done) co_await std::unexpected(std::move(done.error()));
}

Async<void> Workers::run_one(Queue& queue, Running& running) {
  const auto began = std::chrono::steady_clock::now();
  Result<void> done = co_await invoke(running);
  queue.run_time.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  co_await shielded(settle(queue, running, std::move(done)));
  running.ended = true;
  queue.wake.set();
}

// Until the outcome is in the database: a job that nobody moves on would run for ever in the eyes of others.
Async<void> Workers::settle(Queue& queue, Running& running, Result<void> done) {
  const bool command = running.kind.operation->kind == api::OperationKind::command;
  if (done && command && running.completed) {
    queue.done.add();
    co_return;
  }
  for (int tries = 1;; ++tries) {
    Result<void> moved = co_await move_on(running, done);
    if (moved) break;
    if (moved.error().code() == kJobLost.code) {
      queue.lost.add();
      co_return;
    }
    log_warn("what became of a job could not be written down; trying again",
             {{"job", running.job.id.to_string()}, {"why", moved.error().detail()}});
    if (draining_ && tries > 3) co_return;  // others take it over when this process is gone
    std::ignore = co_await sleep_for(std::chrono::seconds(1));
  }
  (done ? queue.done : running.cancel_asked ? queue.cancelled : queue.failed).add();
}

Async<void> Workers::move_on(Running& running, const Result<void>& done) {
  const sql::CallContext context = own_context();
  const Time now = clock_.now();
  if (done && running.attempt.snoozed()) {
    const Time again = now + *running.attempt.snoozed();
    co_await ok(database_->transact(context, &store::give_back, running.claim, again));
  } else if (done) {
    co_await ok(database_->transact(context, &store::complete, running.claim, now));
  } else if (running.cancel_asked) {
    co_await ok(database_->transact(context, &store::end_cancelled, running.claim, now));
  } else if (running.stopped) {
    co_await ok(database_->transact(context, &store::give_back, running.claim, running.job.run_at));
  } else if (done.error().code() == kJobLost.code) {
    co_await bedplate::fail(kJobLost);
  } else {
    co_await ok(failed(running, done.error()));
  }
}

Async<void> Workers::failed(Running& running, const Error& error) {
  const sql::CallContext context = own_context();
  const std::string text = text_of(error);
  std::optional<Time> again;
  if (!running.attempt.is_last() && !is_never_again(error)) {
    std::chrono::milliseconds wait =
        backoff_after(running.kind.declaration, running.attempt.number(), random_unit());
    const std::chrono::milliseconds asked =
        std::min<std::chrono::milliseconds>(error.retry_after(), kRetryAfterMax);
    again = clock_.now() + std::max(wait, asked);
  }
  co_await ok(database_->transact(context, &store::fail, running.claim, again, text));
  if (!again)
    log_error("a job is dead",
              {{"job", running.job.id.to_string()}, {"kind", running.job.kind}, {"error", text}});
}

// ---- the process

Async<void> Workers::beat() {
  const sql::CallContext context = own_context();
  std::ignore = co_await ok(database_->transact(context, &store::beat, id_, host_));
}

Async<void> Workers::beat_once() {
  const sql::CallContext context = own_context();
  const std::vector<JobId> asked = co_await ok(database_->transact(context, &store::beat, id_, host_));
  if (!asked.empty())
    for (const auto& queue : queues_) {
      std::lock_guard lock(queue->mutex);
      queue->to_cancel.insert(queue->to_cancel.end(), asked.begin(), asked.end());
      queue->wake.set();
    }
  const std::optional<std::chrono::milliseconds> silent{settings_.dead_after_ms};
  const Time now = clock_.now();
  const std::int64_t rescued = co_await ok(database_->transact(context, &store::rescue, id_, silent, now));
  if (rescued == 0) co_return;
  log_warn("jobs of a process that is gone are given to others", {{"jobs", rescued}});
  for (const auto& queue : queues_) queue->wake.set();
}

Async<void> Workers::keep_alive() {
  Wake wake;
  const sql::Subscription cancels = database_->announcements().subscribe("jobs:cancel", wake);
  std::chrono::steady_clock::time_point cleaned;
  for (;;) {
    Result<void> beaten = co_await beat_once();
    if (!beaten) log_warn("this process could not say that it lives", {{"why", beaten.error().detail()}});
    const auto now = std::chrono::steady_clock::now();
    if (now - cleaned > std::chrono::minutes(10)) {
      cleaned = now;
      const Time before = clock_.now() - std::chrono::days(settings_.history_days);
      const sql::CallContext context = own_context();
      Result<std::int64_t> deleted = co_await database_->transact(context, &store::delete_history, before);
      if (deleted && *deleted > 0) cleaned = {};  // there may be more
    }
    std::ignore = co_await ok(wake.wait_for(std::chrono::milliseconds(settings_.beat_ms)));
  }
}

Async<std::int64_t> Workers::rescue_all() {
  const sql::CallContext context = own_context();
  const std::optional<std::chrono::milliseconds> any;
  const Time now = clock_.now();
  std::int64_t all = 0;
  for (;;) {
    const std::int64_t some = co_await ok(database_->transact(context, &store::rescue, id_, any, now));
    all += some;
    if (some == 0) co_return all;
  }
}

Async<void> Workers::sign_off() {
  const sql::CallContext context = own_context();
  co_await ok(database_->transact(context, &store::sign_off, id_));
}

void Workers::drain() {
  draining_ = true;
  for (const auto& queue : queues_) queue->wake.set();
  std::unique_lock lock(mutex_);
  idle_.wait_for(lock, std::chrono::milliseconds(settings_.drain_ms), [&] { return running_count_ == 0; });
}

// ---- for tests

Async<std::int64_t> Workers::run_due() {
  co_await ok(beat());
  std::int64_t attempts = 0;
  for (bool any = true; any;) {
    any = false;
    for (const auto& queue : queues_) {
      std::vector<Claimed> jobs = co_await ok(claim(*queue, 1));
      for (Claimed& job : jobs) {
        any = true;
        ++attempts;
        begin(*queue, std::move(job));
        co_await ok(wait_until_empty(*queue));
      }
    }
  }
  co_return attempts;
}

Async<std::optional<Time>> Workers::next_due() {
  std::optional<Time> next;
  for (const auto& queue : queues_) {
    const std::optional<Time> due = co_await ok(database_->read(&store::next_due, queue->name));
    if (due && (!next || *due < *next)) next = due;
  }
  co_return next;
}

}  // namespace bedplate::jobs
