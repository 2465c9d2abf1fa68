// SPDX-License-Identifier: Apache-2.0
// Cron: jobs that a schedule enqueues.
//
//   // In a module: what it runs, when, and what happens to runs that nobody was there for.
//   .cron<&Reminders::digest>("digest", jobs::weekly(std::chrono::Monday, "08:00", jobs::zone("Europe/Berlin")),
//                             jobs::missed(jobs::latest))
//
//   Async<void> Reminders::digest(sql::Transaction& tx, const jobs::Occurrence& due) const;
//
// Each occurrence is one job, however many replicas run: the row that says how far a cron job is moves in the commit
// that enqueues. There is no leader. Schedules, time zones and what happens when clocks change: schedule/schedule.h. A
// schedule that is wrong, or a zone that does not exist, refuses the start.
//
// A cron job that is new begins with the next occurrence. A clock that goes back enqueues nothing twice; one that was
// more than an hour ahead is believed when it comes back, and the schedule goes on from there.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/base/result.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/describe.h"
#include "bedplate/schedule/schedule.h"

namespace bedplate::sql {
class Database;
class Transaction;
}  // namespace bedplate::sql

namespace bedplate::jobs {

using schedule::cron;
using schedule::daily;
using schedule::every;
using schedule::monthly;
using schedule::Schedule;
using schedule::utc;
using schedule::weekly;
using schedule::zone;

/// The input of a cron job: when it was due. It may run later.
struct Occurrence {
  Time due{};

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Occurrence>("When a cron job was due",
                              {field<&Occurrence::due>("When it was due; it may run later")});
  }
};

/// What happens to occurrences that passed while no process ran.
struct Missed {
  std::int64_t runs_max = 1;  ///< so many of them are made up for, the last ones
};
/// None: only those are enqueued that are at most a minute late.
inline constexpr Missed skip{0};
/// The last one of them, once. The default.
inline constexpr Missed latest{1};
/// Each of them; of more than `most` (1 to 1000) the last ones.
constexpr Missed all(std::int64_t most) {
  return {most < 1 ? 1 : most > 1000 ? 1000 : most};
}
/// `missed(latest)`: an option of a cron job.
constexpr Missed missed(Missed what) {
  return what;
}

/// A cron job, as a module declares it.
struct CronDeclaration {
  std::string name;  ///< of the job: "tasks.digest"
  Schedule when;
  Missed missed;
};

/// Enqueues what is due. Thread-safe once made.
class Cron {
 public:
  /// The schedules, resolved. An error names the job. `database` and `clock` outlive it.
  static Result<std::unique_ptr<Cron>> make(sql::Database& database, const Clock& clock,
                                            schedule::Zones& zones,
                                            std::span<const CronDeclaration> declarations);

  /// Enqueues what is due by now: how many jobs.
  Async<std::int64_t> run_due() const;
  /// Does so whenever something is due, until its scope is cancelled.
  Async<void> run() const;
  /// When the next one is due; nothing: never.
  std::optional<Time> next_due() const;
  /// What runs when, in words, for the log: "tasks.digest: at 08:00 Europe/Berlin every Monday".
  std::vector<std::string> words() const;
  bool empty() const { return entries_.empty(); }

 private:
  struct Entry {
    std::string name;
    schedule::Recurrence when;
    Missed missed;
  };
  Cron(sql::Database& database, const Clock& clock) : database_(database), clock_(clock) {}
  static Async<std::int64_t> enqueue_due(sql::Transaction& tx, const Entry& entry, const Time& now);
  static bool has_to_look(const Entry& entry, const Time* last, Time now);
  static std::vector<Time> due(const Entry& entry, Time after, Time now);

  sql::Database& database_;
  const Clock& clock_;
  std::vector<Entry> entries_;
};

}  // namespace bedplate::jobs
