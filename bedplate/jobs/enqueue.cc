// SPDX-License-Identifier: Apache-2.0
#include "bedplate/jobs/enqueue.h"

#include <fmt/format.h>

#include <utility>

#include "bedplate/describe/json/json.h"

namespace bedplate::jobs {
namespace {

constexpr sql::Named kInsert(
    "jobs.enqueue",
    "INSERT INTO jobs (id, kind, queue, state, priority, run_at, input, act, tenant_id, attempt, crashes, "
    "fence, "
    "cancel_asked, unique_key, unique_window, created_at) "
    "VALUES ($1, $2, $3, 'available', $4, $5, $6, $7, $8, 0, 0, 0, $12, $9, $10, $11)");
constexpr sql::Composed<640> kInsertUnique(
    "jobs.enqueue_unique", kInsert.sql, " ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL DO NOTHING");
constexpr sql::Named kFirst("jobs.find_unique", "SELECT id FROM jobs WHERE unique_key = $1");
constexpr sql::Named kReplace("jobs.replace",
                              "UPDATE jobs SET run_at = $2, input = $3, priority = $4, act = $5 "
                              "WHERE unique_key = $1 AND state = 'available'");
// Locks the row, so that no worker claims it meanwhile, and takes it from whoever holds an older fence.
constexpr sql::Named kTakeWaiting("jobs.take_waiting",
                                  "UPDATE jobs SET fence = fence + 1 "
                                  "WHERE id = $1 AND (state = 'available' OR state = 'dead')");
constexpr sql::Named kCancelWaiting(
    "jobs.cancel_waiting",
    "INSERT INTO job_history (id, kind, queue, state, run_at, act, attempt, error, created_at, started_at, "
    "finished_at) "
    "SELECT id, kind, queue, 'cancelled', run_at, act, attempt, error, created_at, started_at, $2 FROM jobs "
    "WHERE id = $1");
constexpr sql::Named kDeleteWaiting("jobs.delete_waiting", "DELETE FROM jobs WHERE id = $1");
constexpr sql::Named kAskToCancel("jobs.ask_to_cancel",
                                  "UPDATE jobs SET cancel_asked = $2 WHERE id = $1 AND state = 'running'");

constexpr int kTriesMax = 5;

/// A row to be; the input is text already, so nothing refers to what the caller gave.
struct NewJob {
  NewJob(std::string_view kind_, std::string_view queue_, EnqueueOptions options_, std::string input_)
      : kind(kind_), queue(queue_), options(std::move(options_)), input(std::move(input_)) {}
  std::string kind;
  std::string queue;
  EnqueueOptions options;
  std::string input;
};

Async<JobId> insert(sql::Transaction& tx, NewJob job) {
  if (job.input.size() > kInputSizeMax)
    co_await fail(Category::too_large, "job_input_too_large",
                  fmt::format("The input of {} has {} bytes as JSON; at most {} are kept with a job.",
                              job.kind, job.input.size(), kInputSizeMax));
  const JobId id = new_id<JobId>();
  const auto priority = static_cast<std::int64_t>(job.options.priority.value_or(Priority::normal));
  const Time now = tx.now();
  const Time run_at = job.options.run_at.value_or(now);
  const std::optional<Uuid> tenant = tx.tenant();
  std::optional<std::string> key;
  std::optional<std::string_view> window;
  if (!job.options.unique_key.empty()) {
    if (job.options.unique_key.size() > 200)
      co_await fail(Category::too_large, "job_key_too_long", "A unique key has at most 200 bytes.");
    key = fmt::format("{}:{}:{}", job.kind, tenant ? tenant->to_string() : "", job.options.unique_key);
    window = job.options.unique_until == Until::started ? "started" : "finished";
  }
  const sql::Text text = key ? sql::Text(kInsertUnique) : sql::Text(kInsert);
  tx.announce(topic_of(job.queue));
  // The first one may end between two statements: then there is room for this one.
  for (int tries = 1; tries <= kTriesMax; ++tries) {
    const std::int64_t added = co_await ok(tx.run(text, id, job.kind, job.queue, priority, run_at, job.input,
                                                  tx.user(), tenant, key, window, now, false));
    if (added > 0) co_return id;
    if (job.options.on_conflict == Conflict::refuse) break;
    if (job.options.on_conflict == Conflict::replace)
      std::ignore = co_await ok(tx.run(kReplace, key, run_at, job.input, priority, tx.user()));
    const std::optional<JobId> first = co_await ok(tx.maybe<JobId>(kFirst, key));
    if (first) co_return *first;
  }
  co_await fail(kJobExists);
  co_return id;
}

}  // namespace

std::string topic_of(std::string_view queue) {
  return "jobs:" + std::string(queue);
}

Async<JobId> enqueue_erased(sql::Transaction& tx, std::string_view name, std::string_view queue,
                            const TypeInfo& type, const void* input, EnqueueOptions options) {
  std::string text;
  append_json(text, type, input, View::stored);
  return insert(tx, NewJob(name, queue, std::move(options), std::move(text)));
}

Async<bool> cancel(sql::Transaction& tx, JobId id) {
  const std::int64_t taken = co_await ok(tx.run(kTakeWaiting, id));
  if (taken > 0) {
    const Time now = tx.now();
    std::ignore = co_await ok(tx.run(kCancelWaiting, id, now));
    std::ignore = co_await ok(tx.run(kDeleteWaiting, id));
    co_return true;
  }
  const std::int64_t asked = co_await ok(tx.run(kAskToCancel, id, true));
  if (asked > 0) tx.announce("jobs:cancel");
  co_return asked > 0;
}

}  // namespace bedplate::jobs
