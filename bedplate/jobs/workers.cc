// SPDX-License-Identifier: Apache-2.0
#include "bedplate/jobs/workers.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "bedplate/async/shield.h"
#include "bedplate/async/timer.h"
#include "bedplate/async/wake.h"
#include "bedplate/base/log.h"
#include "bedplate/base/random.h"
#include "bedplate/execution/executor.h"
#include "bedplate/jobs/attempt.h"
#include "bedplate/telemetry/metrics.h"

namespace bedplate::jobs {

/// How an attempt ended.
enum class Workers::Ending : std::uint8_t { done, snoozed, failed, dead, cancelled, put_back, lost };

namespace {
constexpr std::array<const char*, 7> kEndingNames{"done",      "snoozed",  "failed", "dead",
                                                  "cancelled", "put_back", "lost"};
constexpr std::size_t kEndings = kEndingNames.size();
}  // namespace

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
  bool completed = false;  ///< by the hook, if the transaction then committed
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
  std::array<Time, kPriorities>
      marks{};  ///< what was due before has been taken, as far as the last claims saw
  std::chrono::steady_clock::time_point swept;
  std::optional<Time> next;  ///< when the next one is due, as of the last look
  bool more = false;         ///< the last claim was full
  bool unsure = false;       ///< a claim failed, and may have been committed all the same

  std::mutex mutex;  ///< for to_cancel
  std::vector<JobId> to_cancel;

  std::array<telemetry::Counter, kEndings> ended;
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
    // A refusal is a failure like any other: what would stand without the job's completion would stand again.
    if (commit.refused)
      co_await std::unexpected(
          Error(commit.refused->category(), commit.refused->code(), commit.refused->detail())
              .with_retry_after(commit.refused->retry_after()));
    co_await ok(store::complete(tx, running->claim, clock_.now()));
    running->completed = true;
  }
  bool sees_refusals() const override { return true; }

 private:
  const Clock& clock_;
};

namespace {

constexpr std::chrono::seconds kSweepEvery{2};
constexpr std::chrono::seconds kMarkSlack{5};  // clocks of processes that enqueue differ
constexpr std::chrono::hours kRetryAfterMax{24};
constexpr std::uint64_t kEvenClaims =
    8;  // every eighth favours one of the less urgent, in turn, so nothing starves
constexpr std::chrono::seconds kSettlePauseMax{30};
constexpr int kHistoryPagesAtOnce = 20;  // of 500: 10,000 a minute and more, however many end

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
    const Kind kind{declaration, operation};
    // Under a former name it may wait in the queue of the module that it then had.
    std::set<std::pair<std::string, std::string>> places{{declaration.queue, declaration.name}};
    for (const std::string& former : declaration.former_names) {
      places.emplace(declaration.queue, former);
      places.emplace(queue_of(former, {}), former);
    }
    for (const auto& [queue, name] : places)
      if (!queue_named(queue).kinds.emplace(name, kind).second)
        return bedplate::fail(Category::internal, "job_twice",
                              fmt::format("Two jobs have, or had, the name {}.", name));
  }
  std::ranges::sort(queues_, {}, [](const auto& queue) { return queue->name; });
  for (const auto& queue : queues_) {
    std::vector<std::string> kinds;
    for (const auto& [name, kind] : queue->kinds) kinds.push_back(name);
    std::ranges::sort(kinds);
    queue->text.emplace(database.dialect(), kinds);
    for (std::size_t i = 0; i < kEndings; ++i)
      queue->ended[i] = metrics_.counter("bedplate_jobs_ended_total", "Attempts of jobs, by how they ended",
                                         {{"queue", queue->name}, {"outcome", kEndingNames[i]}});
    queue->wait = metrics_.histogram("bedplate_jobs_wait_seconds", "From when a job was due to when it began",
                                     {{"queue", queue->name}});
    queue->run_time =
        metrics_.histogram("bedplate_jobs_run_seconds", "How long attempts took", {{"queue", queue->name}});
  }
  return {};
}

Workers::Queue& Workers::queue_named(const std::string& name) {
  const auto found = std::ranges::find(queues_, name, [](const auto& one) { return one->name; });
  if (found != queues_.end()) return **found;
  queues_.push_back(std::make_unique<Queue>());
  queues_.back()->name = name;
  return *queues_.back();
}

std::vector<std::string> Workers::queues() const {
  std::vector<std::string> names;
  for (const auto& queue : queues_) names.push_back(queue->name);
  return names;
}

Async<std::vector<Claimed>> Workers::claim(Queue& queue, std::int64_t most) {
  const auto steady_now = std::chrono::steady_clock::now();
  const bool whole = !queue.more || steady_now - queue.swept > kSweepEvery;
  ClaimRequest request;
  request.queue = queue.name;
  request.worker = id_;
  request.most = most;
  request.now = clock_.now();
  if (!whole) request.marks = queue.marks;
  const std::uint64_t number = ++queue.claims;
  if (number % kEvenClaims == 0)
    request.first = number / kEvenClaims % 2 == 0 ? kPriorities - 2 : kPriorities - 1;
  const sql::CallContext context = sql::CallContext::read_committed();
  queue.unsure = true;
  std::vector<Claimed> jobs = co_await ok(database_->transact(context, &store::claim, *queue.text, request));
  queue.unsure = false;
  if (whole) queue.swept = steady_now;
  queue.more = static_cast<std::int64_t>(jobs.size()) == most;
  std::array<Time, kPriorities> first;
  first.fill(Time::max());
  for (const Claimed& job : jobs) {
    Time& earliest = first[static_cast<std::size_t>(job.priority)];
    earliest = std::min(earliest, job.run_at);
  }
  for (std::size_t i = 0; i < first.size(); ++i)
    if (first[i] != Time::max()) queue.marks[i] = first[i] - kMarkSlack;
  co_return jobs;
}

// A claim whose commit nobody knows of may have left jobs that run in the eyes of others, and here do not.
Async<void> Workers::put_back_unknown(Queue& queue) {
  const sql::CallContext context = sql::CallContext::read_committed();
  const std::vector<Held> held =
      co_await ok(database_->transact(context, &store::running_here, id_, queue.name));
  for (const Held& job : held) {
    if (std::ranges::any_of(queue.running, [&](const Running& one) { return one.job.id == job.id; }))
      continue;
    const Claim claim(job.id, job.fence);
    const Time now = clock_.now();
    Result<void> done = co_await database_->transact(context, &store::give_back, claim, now, now);
    if (!done && done.error().code() != kJobLost.code) co_await std::unexpected(std::move(done.error()));
  }
  queue.unsure = false;
}

void Workers::begin(Queue& queue, Claimed job) {
  const Kind& kind = queue.kinds.at(job.kind);
  queue.wait.observe(seconds_between(job.run_at, clock_.now()));
  Running& running = queue.running.emplace_back(std::move(job), kind);
  running.cancel_asked = running.job.cancel_asked;
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
  if (queue.unsure) co_await ok(put_back_unknown(queue));
  do {
    const std::int64_t room = settings_.concurrency - static_cast<std::int64_t>(queue.running.size());
    if (room <= 0 || draining_ || !is_heard()) co_return;
    std::vector<Claimed> jobs = co_await ok(claim(queue, room));
    if (draining_) queue.unsure = !jobs.empty();  // none has begun: they are put back
    if (!queue.unsure)
      for (Claimed& job : jobs) begin(queue, std::move(job));
    reap(queue);
  } while (queue.more && !draining_);
  queue.next = co_await ok(database_->read(&store::next_due, queue.name));
}

// Others may take a process for dead that has not said for long that it lives: such a one begins nothing.
bool Workers::is_heard() const {
  const std::chrono::steady_clock::time_point beaten(std::chrono::nanoseconds(beaten_ns_.load()));
  return std::chrono::steady_clock::now() - beaten < std::chrono::milliseconds(settings_.dead_after_ms) / 2;
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
    if (queue.unsure) co_await shielded(put_back_unknown(queue));
    queue.subscription = {};
    co_await std::unexpected(Error(Category::cancelled, "cancelled", "The queue was stopped."));
  }
}

// ---- one attempt

Async<void> Workers::invoke(Running& running) {
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
  Deadline deadline(*Loop::current(), running.scope);
  deadline.start(running.kind.declaration.timeout);
  Result<void> done =
      co_await executor_->call_stored(*running.kind.operation, caller, running.job.input, &extra);
  deadline.stop();
  if (!done) co_await std::unexpected(std::move(done.error()));
}

Async<void> Workers::run_one(Queue& queue, Running& running) {
  const auto began = std::chrono::steady_clock::now();
  Result<void> done;
  if (running.cancel_asked)  // before it began
    done = bedplate::fail(Category::cancelled, "cancelled", "The job was cancelled.");
  else if (running.job.attempt >= running.kind.declaration.attempts)  // its process died in the last one
    done = never_again(
        Error(Category::internal, std::string(kKilledItsWorker), "Its last attempt ended with its process."));
  else
    done = co_await invoke(running);
  queue.run_time.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  co_await shielded(settle(queue, running, std::move(done)));
  running.ended = true;
  queue.wake.set();
}

Workers::Ending Workers::ending_of(const Running& running, const Result<void>& done) {
  if (done) return Ending::done;
  if (done.error().code() == kJobLost.code) return Ending::lost;
  if (running.cancel_asked) return Ending::cancelled;
  if (running.stopped && done.error().category() == Category::cancelled) return Ending::put_back;
  if (is_snooze(done.error())) return Ending::snoozed;
  return running.attempt.is_last() || is_never_again(done.error()) ? Ending::dead : Ending::failed;
}

// Until the outcome is in the database: a job that nobody moves on would run for ever in the eyes of others.
Async<void> Workers::settle(Queue& queue, Running& running, Result<void> done) {
  Ending ending = ending_of(running, done);
  const bool command = running.kind.operation->kind == api::OperationKind::command;
  const bool is_settled = ending == Ending::lost || (done && command && running.completed);
  std::optional<Time> again;
  if (ending == Ending::failed) again = clock_.now() + wait_after(running, done.error());
  std::chrono::seconds pause{1};
  for (int tries = 1; !is_settled; ++tries) {
    Result<void> written = co_await write(running, ending, done, again);
    if (written) break;
    if (written.error().code() == kJobLost.code) {
      ending = Ending::lost;
      break;
    }
    log_warn("what became of a job could not be written down; trying again",
             {{"job", running.job.id.to_string()}, {"why", written.error().detail()}});
    if (draining_ && tries > 3) co_return;  // others take it over when this process is gone
    std::ignore = co_await sleep_for(pause);
    pause = std::min(pause * 2, kSettlePauseMax);
  }
  queue.ended[static_cast<std::size_t>(ending)].add();
  if (ending == Ending::dead)
    log_error(
        "a job is dead",
        {{"job", running.job.id.to_string()}, {"kind", running.job.kind}, {"error", done.error().summary()}});
}

Async<void> Workers::write(const Running& running, Ending ending, const Result<void>& done,
                           const std::optional<Time>& again) {
  const sql::CallContext context = sql::CallContext::read_committed();
  const Time now = clock_.now();
  switch (ending) {
    case Ending::done:
      co_await ok(database_->transact(context, &store::complete, running.claim, now));
      break;
    case Ending::cancelled:
      co_await ok(database_->transact(context, &store::end_cancelled, running.claim, now));
      break;
    case Ending::put_back:
      co_await ok(database_->transact(context, &store::give_back, running.claim, running.job.run_at, now));
      break;
    case Ending::snoozed: {
      const Time later = now + done.error().retry_after();
      co_await ok(database_->transact(context, &store::give_back, running.claim, later, now));
      break;
    }
    default: {
      const std::string text = done.error().summary();
      co_await ok(database_->transact(context, &store::fail, running.claim, again, text, now));
    }
  }
}

std::chrono::milliseconds Workers::wait_after(const Running& running, const Error& error) {
  const std::chrono::milliseconds wait =
      backoff_after(running.kind.declaration, running.attempt.number(), random_unit());
  return std::max<std::chrono::milliseconds>(
      wait, std::min<std::chrono::milliseconds>(error.retry_after(), kRetryAfterMax));
}

// ---- the process

Async<std::vector<JobId>> Workers::beat() {
  const sql::CallContext context = sql::CallContext::read_committed();
  const auto now = std::chrono::steady_clock::now();
  std::vector<JobId> asked = co_await ok(database_->transact(context, &store::beat, id_, host_));
  const bool gap = !is_heard();
  beaten_ns_ = now.time_since_epoch().count();
  if (gap) unbroken_since_ = now;
  co_return asked;
}

Async<void> Workers::keep_alive_once() {
  const std::vector<JobId> asked = co_await ok(beat());
  if (!asked.empty())
    for (const auto& queue : queues_) {
      std::lock_guard lock(queue->mutex);
      queue->to_cancel.insert(queue->to_cancel.end(), asked.begin(), asked.end());
      queue->wake.set();
    }
  // After an outage every process looks dead; those that live have said so by then.
  const std::optional<std::chrono::milliseconds> silent{settings_.dead_after_ms};
  const bool shared = database_->dialect() == sql::Dialect::postgresql;
  if (shared && std::chrono::steady_clock::now() - unbroken_since_ < *silent) co_return;
  const sql::CallContext context = sql::CallContext::read_committed();
  const Time now = clock_.now();
  const std::int64_t rescued = co_await ok(database_->transact(context, &store::rescue, id_, silent, now));
  if (rescued == 0) co_return;
  log_warn("jobs of a process that is gone are given to others", {{"jobs", rescued}});
  for (const auto& queue : queues_) queue->wake.set();
}

Async<void> Workers::delete_history() {
  const Time before = clock_.now() - std::chrono::days(settings_.history_days);
  const sql::CallContext context = sql::CallContext::read_committed();
  for (int i = 0; i < kHistoryPagesAtOnce; ++i) {
    const std::int64_t deleted = co_await ok(database_->transact(context, &store::delete_history, before));
    if (deleted == 0) co_return;
  }
}

Async<void> Workers::keep_alive() {
  Wake wake;
  const sql::Subscription cancels = database_->announcements().subscribe("jobs:cancel", wake);
  std::chrono::steady_clock::time_point cleaned;
  for (;;) {
    Result<void> beaten = co_await keep_alive_once();
    if (!beaten) log_warn("this process could not say that it lives", {{"why", beaten.error().detail()}});
    const auto now = std::chrono::steady_clock::now();
    if (now - cleaned > std::chrono::minutes(1)) {
      cleaned = now;
      Result<void> deleted = co_await delete_history();
      if (!deleted) log_warn("ended jobs could not be deleted", {{"why", deleted.error().detail()}});
    }
    std::ignore = co_await ok(wake.wait_for(std::chrono::milliseconds(settings_.beat_ms)));
  }
}

Async<std::int64_t> Workers::rescue_all() {
  const sql::CallContext context = sql::CallContext::read_committed();
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
  const sql::CallContext context = sql::CallContext::read_committed();
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
  std::ignore = co_await ok(beat());
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
