// SPDX-License-Identifier: Apache-2.0
#include "bedplate/jobs/administration.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace bedplate::jobs {
namespace {

constexpr std::array<std::string_view, 6> kStates{"scheduled", "available", "running",
                                                  "done",      "dead",      "cancelled"};

constexpr std::string_view kLive =
    "SELECT id, kind, queue, CASE WHEN state = 'available' AND run_at > $1 THEN 'scheduled' ELSE state END "
    "AS state, "
    "attempt, run_at, error, act, created_at, started_at, NULL AS finished_at FROM jobs";
constexpr std::string_view kEnded =
    "SELECT id, kind, queue, state, attempt, run_at, error, act, created_at, started_at, finished_at FROM "
    "job_history";

constexpr sql::Named kRetry("jobs.retry",
                            "UPDATE jobs SET state = 'available', run_at = $2, attempt = 0, crashes = 0, "
                            "fence = fence + 1, cancel_asked = $3 "
                            "WHERE id = $1 AND (state = 'dead' OR state = 'available')");
constexpr sql::Named kQueueOf("jobs.queue_of", "SELECT queue FROM jobs WHERE id = $1");
constexpr sql::Named kPause(
    "jobs.pause", "INSERT INTO job_queues (queue, paused_at) VALUES ($1, $2) ON CONFLICT (queue) DO NOTHING");
constexpr sql::Named kResume("jobs.resume", "DELETE FROM job_queues WHERE queue = $1");

// The condition that an index answers, where there is one.
std::string condition_of(std::string_view state) {
  if (state == "scheduled") return "state = 'available' AND run_at > $1";
  if (state == "available") return "state = 'available' AND run_at <= $1";
  return fmt::format("state = '{}'", state);
}

bool is_ended(std::string_view state) {
  return state == "done" || state == "cancelled";
}

}  // namespace

Async<JobList> JobAdministration::list(sql::Reader& db, const ListJobs& query) const {
  if (query.state && std::ranges::find(kStates, *query.state) == kStates.end())
    co_await fail(Category::invalid, "state_unknown",
                  fmt::format("A job's state is one of {}.", fmt::join(kStates, ", ")));
  JobList list;
  for (const bool ended : {false, true}) {
    if (query.state && is_ended(*query.state) != ended) continue;
    sql::Params params;
    std::string text(ended ? kEnded : kLive);
    std::string where;
    if (!ended) params.add(db.now());
    const auto add = [&](const std::string& condition) {
      where += (where.empty() ? " WHERE " : " AND ") + condition;
    };
    if (query.state) add(condition_of(*query.state));
    if (query.after) add("id < " + params.add(*query.after));
    text += where + fmt::format(" ORDER BY id DESC LIMIT {}", query.limit);
    const std::vector<JobView> some = co_await ok(db.all<JobView>(text, params));
    list.data.insert(list.data.end(), some.begin(), some.end());
  }
  std::ranges::sort(list.data, std::greater(), &JobView::id);
  if (list.data.size() > static_cast<std::size_t>(query.limit))
    list.data.resize(static_cast<std::size_t>(query.limit));
  co_return list;
}

Async<JobView> JobAdministration::show(sql::Reader& db, const JobRef& ref) const {
  const Time now = db.now();
  const std::string live = std::string(kLive) + " WHERE id = $2";
  const std::optional<JobView> waiting = co_await ok(db.maybe<JobView>(live, now, ref.id));
  if (waiting) co_return *waiting;
  const std::string ended = std::string(kEnded) + " WHERE id = $1";
  JobView job = co_await ok(db.one_or<JobView>(kJobNotFound, ended, ref.id));
  co_return job;
}

Async<void> JobAdministration::retry(sql::Transaction& tx, const JobRef& ref) const {
  const Time now = tx.now();
  const std::int64_t changed = co_await ok(tx.run(kRetry, ref.id, now, false));
  if (changed == 0) {
    std::ignore = co_await ok(show(tx, ref));
    co_await fail(kJobNotDead);
  }
  const std::string queue = co_await ok(tx.value<std::string>(kQueueOf, ref.id));
  tx.announce(topic_of(queue));
}

Async<void> JobAdministration::cancel(sql::Transaction& tx, const JobRef& ref) const {
  const bool found = co_await ok(jobs::cancel(tx, ref.id));
  if (!found) std::ignore = co_await ok(show(tx, ref));  // it has ended: nothing is left to do
}

Async<void> JobAdministration::pause(sql::Transaction& tx, const QueueRef& ref) const {
  const Time now = tx.now();
  std::ignore = co_await ok(tx.run(kPause, ref.queue, now));
}

Async<void> JobAdministration::resume(sql::Transaction& tx, const QueueRef& ref) const {
  std::ignore = co_await ok(tx.run(kResume, ref.queue));
  tx.announce(topic_of(ref.queue));
}

}  // namespace bedplate::jobs
