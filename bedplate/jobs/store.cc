// SPDX-License-Identifier: Apache-2.0
#include "bedplate/jobs/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "jobs_files.h"

namespace bedplate::jobs {

std::span<const EmbeddedFile> jobs_migrations() {
  return jobs_files();
}

namespace {

using sql::Named;

constexpr Named kPaused("jobs.is_paused", "SELECT count(*) FROM job_queues WHERE queue = $1");
// Its row is locked by the claim, so whoever changes it comes before or after this, and finds another fence.
constexpr std::string_view kToHistory =
    "INSERT INTO job_history (id, kind, queue, state, run_at, act, attempt, error, created_at, started_at, "
    "finished_at) "
    "SELECT id, kind, queue, $4, run_at, act, attempt, error, created_at, started_at, $3 FROM jobs "
    "WHERE id = $1 AND state = 'running' AND fence = $2";
constexpr Named kArchive("jobs.archive", kToHistory);
constexpr Named kDelete("jobs.delete_ended",
                        "DELETE FROM jobs WHERE id = $1 AND state = 'running' AND fence = $2");
constexpr Named kFailAgain(
    "jobs.fail",
    "UPDATE jobs SET state = 'available', run_at = $3, attempt = attempt + 1, error = $4, "
    "worker = NULL WHERE id = $1 AND state = 'running' AND fence = $2 AND cancel_asked = $5");
constexpr Named kFailDead("jobs.die",
                          "UPDATE jobs SET state = 'dead', attempt = attempt + 1, error = $3, worker = NULL, "
                          "unique_key = NULL WHERE id = $1 AND state = 'running' AND fence = $2");
constexpr Named kGiveBack("jobs.give_back",
                          "UPDATE jobs SET state = 'available', run_at = $3, worker = NULL "
                          "WHERE id = $1 AND state = 'running' AND fence = $2 AND cancel_asked = $4");
// One process has the data, and others are gone: nothing is written again and again on a machine that is idle.
constexpr Named kBeatSqlite(
    "jobs.beat", "INSERT INTO job_workers (id, host, beat) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING");
// The time is the server's: processes of a fleet compare their beats by one clock.
constexpr Named kBeatPostgresql("jobs.beat",
                                "INSERT INTO job_workers (id, host, beat) VALUES ($1, $2, clock_timestamp()) "
                                "ON CONFLICT (id) DO UPDATE SET beat = excluded.beat");
constexpr Named kAskedToCancel(
    "jobs.asked_to_cancel",
    "SELECT id FROM jobs WHERE state = 'running' AND worker = $1 AND cancel_asked = $2 "
    "ORDER BY id LIMIT 500");
// Held until the claim commits, so that nobody takes this process for a dead one without jobs meanwhile.
constexpr Named kLivesSqlite("jobs.lives", "SELECT id FROM job_workers WHERE id = $1");
constexpr Named kLivesPostgresql("jobs.lives", "SELECT id FROM job_workers WHERE id = $1 FOR KEY SHARE");
constexpr Named kUnknownWorkers(
    "jobs.unknown_workers",
    "SELECT DISTINCT worker FROM jobs WHERE state = 'running' AND NOT EXISTS (SELECT 1 FROM "
    "job_workers WHERE job_workers.id = jobs.worker) LIMIT 100");
constexpr Named kOthersSqlite("jobs.other_workers",
                              "SELECT id FROM job_workers WHERE id <> $1 ORDER BY id LIMIT 100");
constexpr Named kSilentPostgresql("jobs.silent_workers",
                                  "SELECT id FROM job_workers WHERE beat < clock_timestamp() - $1 * interval "
                                  "'1 millisecond' ORDER BY id LIMIT 100");
constexpr Named kRunningOf(
    "jobs.running_of",
    "SELECT id, fence FROM jobs WHERE state = 'running' AND worker = $1 ORDER BY id LIMIT 200");
constexpr Named kRunningHere(
    "jobs.running_here",
    "SELECT id, fence FROM jobs WHERE state = 'running' AND worker = $1 AND queue = $2 "
    "ORDER BY id LIMIT 2000");
constexpr Named kRunning("jobs.running",
                         "SELECT id, fence FROM jobs WHERE state = 'running' ORDER BY worker, id LIMIT 200");
constexpr Named kRescue(
    "jobs.rescue",
    "UPDATE jobs SET state = CASE WHEN crashes + 1 >= $4 THEN 'dead' ELSE 'available' END, "
    "attempt = attempt + 1, crashes = crashes + 1, fence = fence + 1, worker = NULL, run_at = $3, "
    "unique_key = CASE WHEN crashes + 1 >= $4 THEN NULL ELSE unique_key END, "
    "error = $5 WHERE id = $1 AND state = 'running' AND fence = $2");
constexpr Named kForgetWorker(
    "jobs.forget_worker",
    "DELETE FROM job_workers WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM jobs WHERE state = "
    "'running' AND worker = $1)");
constexpr Named kDeleteHistory(
    "jobs.delete_history",
    "DELETE FROM job_history WHERE id IN (SELECT id FROM job_history WHERE finished_at < $1 "
    "ORDER BY finished_at, id LIMIT 500)");

Async<void> must_be_held(sql::Transaction& tx, const sql::Text& text, const Claim& claim) {
  const std::int64_t changed = co_await ok(tx.run(text, claim.id, claim.fence));
  if (changed == 0) co_await bedplate::fail(kJobLost);
}

Async<void> archive(sql::Transaction& tx, const Claim& claim, Time now, std::string_view state) {
  const std::int64_t kept = co_await ok(tx.run(kArchive, claim.id, claim.fence, now, state));
  if (kept == 0) co_await bedplate::fail(kJobLost);
  co_await ok(must_be_held(tx, kDelete, claim));
}

Async<std::int64_t> rescue_all(sql::Transaction& tx, const std::vector<Held>& jobs, Time now) {
  std::int64_t rescued = 0;
  for (const Held& job : jobs)
    rescued += co_await ok(tx.run(kRescue, job.id, job.fence, now, kCrashesMax, kKilledItsWorker));
  co_return rescued;
}

}  // namespace

// The names are of operations: letters, digits, underscores and dots.
ClaimText::ClaimText(sql::Dialect dialect, std::span<const std::string> kinds) {
  const std::string names = fmt::format("'{}'", fmt::join(kinds, "', '"));
  // One index range, in its order: what is due later, or is less urgent, is not even passed over.
  text_ = fmt::format(
      "WITH picked AS MATERIALIZED (SELECT id FROM jobs WHERE state = 'available' AND queue = $1 AND "
      "priority = $2 "
      "AND run_at >= $3 AND run_at <= $4 AND kind IN ({}) ORDER BY run_at, id LIMIT $5{}) "
      "UPDATE jobs SET state = 'running', fence = fence + 1, worker = $6, started_at = $4, "
      "unique_key = CASE WHEN unique_window = 'started' THEN NULL ELSE unique_key END "
      "WHERE id IN (SELECT id FROM picked) "
      "RETURNING id, kind, input, act, tenant_id, attempt, fence, run_at, priority, cancel_asked",
      names, dialect == sql::Dialect::postgresql ? " FOR UPDATE SKIP LOCKED" : "");
}

namespace store {

Async<std::vector<Claimed>> claim(sql::Transaction& tx, const ClaimText& text, const ClaimRequest& request) {
  std::vector<Claimed> all;
  const std::int64_t paused = co_await ok(tx.value<std::int64_t>(kPaused, request.queue));
  if (paused > 0) co_return all;
  const sql::Text lives = tx.dialect() == sql::Dialect::postgresql ? kLivesPostgresql : kLivesSqlite;
  const std::optional<Uuid> alive = co_await ok(tx.maybe<Uuid>(lives, request.worker));
  if (!alive) co_return all;
  const sql::Text statement = sql::named("jobs.claim", text.sql());
  for (std::int64_t level = 0; level < kPriorities; ++level) {
    // The favoured one first, then the rest, the most urgent first.
    const std::int64_t priority = level == 0 ? request.first : level <= request.first ? level - 1 : level;
    const std::int64_t room = request.most - static_cast<std::int64_t>(all.size());
    if (room <= 0) break;
    const Time mark = request.marks[static_cast<std::size_t>(priority)];
    std::vector<Claimed> some = co_await ok(
        tx.all<Claimed>(statement, request.queue, priority, mark, request.now, room, request.worker));
    std::ranges::sort(some, {}, [](const Claimed& job) { return std::pair(job.run_at, job.id); });
    std::ranges::move(some, std::back_inserter(all));
  }
  co_return all;
}

Async<void> complete(sql::Transaction& tx, const Claim& claim, Time now) {
  co_await ok(archive(tx, claim, now, "done"));
}

Async<void> end_cancelled(sql::Transaction& tx, const Claim& claim, Time now) {
  co_await ok(archive(tx, claim, now, "cancelled"));
}

Async<void> fail(sql::Transaction& tx, const Claim& claim, const std::optional<Time>& run_at,
                 const std::string& error, Time now) {
  std::int64_t changed = 0;
  if (run_at)
    changed = co_await ok(tx.run(kFailAgain, claim.id, claim.fence, *run_at, error, false));
  else
    changed = co_await ok(tx.run(kFailDead, claim.id, claim.fence, error));
  if (changed == 0) co_await ok(archive(tx, claim, now, "cancelled"));  // unless it is lost
}

Async<void> give_back(sql::Transaction& tx, const Claim& claim, Time run_at, Time now) {
  const std::int64_t changed = co_await ok(tx.run(kGiveBack, claim.id, claim.fence, run_at, false));
  if (changed == 0) co_await ok(archive(tx, claim, now, "cancelled"));  // unless it is lost
}

Async<std::vector<Held>> running_here(sql::Transaction& tx, const Uuid& worker, std::string_view queue) {
  std::vector<Held> jobs = co_await ok(tx.all<Held>(kRunningHere, worker, queue));
  co_return jobs;
}

Async<std::vector<JobId>> beat(sql::Transaction& tx, const Uuid& worker, const std::string& host) {
  if (tx.dialect() == sql::Dialect::postgresql) {
    std::ignore = co_await ok(tx.run(kBeatPostgresql, worker, host));
  } else {
    const Time now = SystemClock().now();
    std::ignore = co_await ok(tx.run(kBeatSqlite, worker, host, now));
  }
  std::vector<JobId> asked = co_await ok(tx.all<JobId>(kAskedToCancel, worker, true));
  co_return asked;
}

Async<std::int64_t> rescue(sql::Transaction& tx, const Uuid& worker,
                           const std::optional<std::chrono::milliseconds>& silent_for, Time now) {
  if (!silent_for) {
    const std::vector<Held> all = co_await ok(tx.all<Held>(kRunning));
    const std::int64_t rescued = co_await ok(rescue_all(tx, all, now));
    co_return rescued;
  }
  std::vector<Uuid> silent;
  if (tx.dialect() == sql::Dialect::postgresql) {
    silent = co_await ok(tx.all<Uuid>(kSilentPostgresql, static_cast<double>(silent_for->count())));
  } else {
    silent = co_await ok(tx.all<Uuid>(kOthersSqlite, worker));
  }
  const std::vector<Uuid> unknown = co_await ok(tx.all<Uuid>(kUnknownWorkers));
  silent.insert(silent.end(), unknown.begin(), unknown.end());
  std::int64_t rescued = 0;
  for (const Uuid& gone : silent) {
    const std::vector<Held> jobs = co_await ok(tx.all<Held>(kRunningOf, gone));
    rescued += co_await ok(rescue_all(tx, jobs, now));
    std::ignore = co_await ok(tx.run(kForgetWorker, gone));
  }
  co_return rescued;
}

Async<void> sign_off(sql::Transaction& tx, const Uuid& worker) {
  std::ignore = co_await ok(tx.run(kForgetWorker, worker));
}

Async<std::int64_t> delete_history(sql::Transaction& tx, Time before) {
  const std::int64_t deleted = co_await ok(tx.run(kDeleteHistory, before));
  co_return deleted;
}

Async<std::optional<Time>> next_due(sql::Reader& db, std::string_view queue) {
  static constexpr Named kNext(
      "jobs.next_due",
      "SELECT run_at FROM jobs WHERE state = 'available' AND queue = $1 AND priority = $2 "
      "ORDER BY run_at, id LIMIT 1");
  std::optional<Time> next;
  for (std::int64_t priority = 0; priority < kPriorities; ++priority) {
    const std::optional<Time> due = co_await ok(db.maybe<Time>(kNext, queue, priority));
    if (due && (!next || *due < *next)) next = due;
  }
  co_return next;
}

}  // namespace store
}  // namespace bedplate::jobs
