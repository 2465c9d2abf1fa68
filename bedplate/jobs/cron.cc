// SPDX-License-Identifier: Apache-2.0
#include "bedplate/jobs/cron.h"

#include <algorithm>
#include <utility>

#include "bedplate/async/timer.h"
#include "bedplate/base/log.h"
#include "bedplate/jobs/enqueue.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/session.h"

namespace bedplate::jobs {
namespace {

using std::chrono::microseconds;

/// An occurrence that is later than this was missed.
constexpr std::chrono::minutes kLate{1};
/// A row that is further ahead than this was written by a clock that was wrong.
constexpr std::chrono::hours kAhead{1};
/// The clock may be set: what is due is looked at now and then.
constexpr std::chrono::seconds kLookAgain{30};
constexpr std::chrono::seconds kAfterFailure{1};

constexpr sql::Named kAll("cron.all", "SELECT name, last_at FROM job_cron");
constexpr sql::Named kLast("cron.last", "SELECT last_at FROM job_cron WHERE name = $1");
constexpr sql::Named kBegin(
    "cron.begin", "INSERT INTO job_cron (name, last_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING");
constexpr sql::Named kMove("cron.move", "UPDATE job_cron SET last_at = $3 WHERE name = $1 AND last_at = $2");

struct Row {
  std::string name;
  Time last_at{};

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Row>("How far a cron job is",
                       {field<&Row::name>("Of the job"), field<&Row::last_at>("The last occurrence")});
  }
};

Async<std::vector<Row>> read_all(sql::Reader& db) {
  std::vector<Row> rows = co_await ok(db.all<Row>(kAll));
  co_return rows;
}

}  // namespace

Result<std::unique_ptr<Cron>> Cron::make(sql::Database& database, const Clock& clock, schedule::Zones& zones,
                                         std::span<const CronDeclaration> declarations) {
  std::unique_ptr<Cron> made(new Cron(database, clock));
  for (const CronDeclaration& declaration : declarations) {
    auto when = schedule::resolve(declaration.when, zones);
    if (!when)
      return fail(Category::invalid, "cron_invalid",
                  "The schedule of the job " + declaration.name + ": " + when.error().detail());
    made->entries_.push_back({declaration.name, std::move(*when), declaration.missed});
  }
  return made;
}

// The last occurrences until now, as many as are made up for and at least one, the oldest first. Empty: none was due.
std::vector<Time> Cron::due(const Entry& entry, Time after, Time now) {
  std::vector<Time> times;
  const std::int64_t most = std::max<std::int64_t>(entry.missed.runs_max, 1);
  for (Time until = now; static_cast<std::int64_t>(times.size()) < most;) {
    const auto last = entry.when.latest(after, until);
    if (!last) break;
    times.push_back(*last);
    until = *last - microseconds(1);
  }
  std::ranges::reverse(times);
  return times;
}

Async<std::int64_t> Cron::enqueue_due(sql::Transaction& tx, const Entry& entry, const Time& now) {
  const std::optional<Time> last = co_await ok(tx.maybe<Time>(kLast, entry.name));
  if (!last) {
    std::ignore = co_await ok(tx.run(kBegin, entry.name, now));
    co_return 0;
  }
  if (*last > now + kAhead) {
    log_warn("a cron job was ahead of the clock, and goes on from now", {{"job", entry.name}});
    std::ignore = co_await ok(tx.run(kMove, entry.name, *last, now));
    co_return 0;
  }
  const std::vector<Time> times = due(entry, *last, now);
  if (times.empty()) co_return 0;
  const std::int64_t moved = co_await ok(tx.run(kMove, entry.name, *last, times.back()));
  if (moved == 0) co_return 0;  // another replica has enqueued it
  if (entry.missed.runs_max == 0 && times.back() < now - kLate) co_return 0;
  const Job<Occurrence> job{entry.name};
  for (const Time& time : times) {
    const Occurrence occurrence{time};
    std::ignore = co_await ok(enqueue(tx, job, occurrence));
  }
  co_return static_cast<std::int64_t>(times.size());
}

bool Cron::has_to_look(const Entry& entry, const Time* last, Time now) {
  return !last || *last > now + kAhead || entry.when.latest(*last, now).has_value();
}

Async<std::int64_t> Cron::run_due() const {
  sql::CallContext context =
      sql::CallContext::read_committed();  // the row is moved only from where it was read
  context.clock = &clock_;
  const Time now = clock_.now();
  const std::vector<Row> rows = co_await ok(database_.read(&read_all));
  std::int64_t enqueued = 0;
  std::optional<Error> failure;  // of one of them: the others go on
  for (const Entry& entry : entries_) {
    const auto row = std::ranges::find(rows, entry.name, &Row::name);
    if (!has_to_look(entry, row == rows.end() ? nullptr : &row->last_at, now)) continue;
    Result<std::int64_t> some = co_await database_.transact(context, &Cron::enqueue_due, entry, now);
    if (some)
      enqueued += *some;
    else
      failure.emplace(std::move(some.error()));
  }
  if (failure) co_await std::unexpected(std::move(*failure));
  co_return enqueued;
}

std::optional<Time> Cron::next_due() const {
  const Time now = clock_.now();
  std::optional<Time> first;
  for (const Entry& entry : entries_)
    if (const auto next = entry.when.next_after(now); next && (!first || *next < *first)) first = next;
  return first;
}

Async<void> Cron::run() const {
  for (;;) {
    const Result<std::int64_t> done = co_await run_due();
    microseconds pause = kLookAgain;
    if (!done) {
      log_warn("cron jobs could not be enqueued", {{"why", done.error().detail()}});
      pause = kAfterFailure;
    } else if (const auto next = next_due()) {
      // Timers may be early by a tick.
      pause = std::clamp<microseconds>(*next - clock_.now() + std::chrono::milliseconds(1),
                                       std::chrono::milliseconds(1), kLookAgain);
    }
    co_await ok(sleep_for(std::chrono::ceil<std::chrono::milliseconds>(pause)));
  }
}

std::vector<std::string> Cron::words() const {
  std::vector<std::string> lines;
  for (const Entry& entry : entries_) lines.push_back(entry.name + ": " + entry.when.words());
  return lines;
}

}  // namespace bedplate::jobs
