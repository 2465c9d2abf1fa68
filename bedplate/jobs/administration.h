// SPDX-License-Identifier: Apache-2.0
// What operators do with jobs: look at them, try a dead one again, cancel one, pause a queue. The command line and the
// operations for administrators are these. Stateless and thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/describe.h"
#include "bedplate/jobs/enqueue.h"
#include "bedplate/sql/session.h"

namespace bedplate::jobs {

inline constexpr ErrorCode kJobNotFound{Category::not_found, "job_not_found", "There is no such job."};
inline constexpr ErrorCode kJobNotDead{Category::conflict, "job_not_dead",
                                       "Only a job that is dead, or waits, can be tried again now."};

/// A job as operators see it. Its input is not shown: it may hold what is nobody's business.
struct JobView {
  JobId id;
  std::string kind;
  std::string queue;
  std::string state;
  std::int64_t attempt = 0;
  Time run_at{};
  std::optional<std::string> error;
  std::optional<Uuid> act;
  Time created_at{};
  std::optional<Time> started_at;
  std::optional<Time> finished_at;

  static consteval auto describe() {
    using namespace bedplate::schema;
    using V = JobView;
    return object<V>(
        "A job",
        {field<&V::id>("The job; later ones have larger ids"),
         field<&V::kind>("What it does: `orders.send_receipt`"), field<&V::queue>("Whose workers run it"),
         field<&V::state>("`scheduled`, `available`, `running`, `done`, `dead` or `cancelled`"),
         field<&V::attempt>("Starts that ended in a failure or a crash"), field<&V::run_at>("When it is due"),
         field<&V::error>("What the last attempt failed with"),
         field<&V::act>("The user on whose behalf it runs"), field<&V::created_at>("When it was enqueued"),
         field<&V::started_at>("When its last attempt began"), field<&V::finished_at>("When it ended")});
  }
};

struct ListJobs {
  std::int64_t limit = 100;
  std::optional<JobId> after;
  std::optional<std::string> state;

  static consteval auto describe() {
    using namespace bedplate::schema;
    using L = ListJobs;
    return object<L>("Which jobs", {field<&L::limit>(range{1, 1000}, optional_with_default, "Jobs per page"),
                                    field<&L::after>("Only jobs older than this one"),
                                    field<&L::state>(length{1, 20}, "Only jobs in this state")});
  }
};

struct JobList {
  std::vector<JobView> data;
  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<JobList>("Jobs, newest first", {field<&JobList::data>("The jobs")});
  }
};

struct JobRef {
  JobId id;
  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<JobRef>("Names a job", {field<&JobRef::id>("The job")});
  }
};

struct QueueRef {
  std::string queue;
  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<QueueRef>("Names a queue",
                            {field<&QueueRef::queue>(length{1, 100}, pattern("^[a-z][a-z0-9_]*$"),
                                                     example("orders"), "The queue")});
  }
};

class JobAdministration {
 public:
  Async<JobList> list(sql::Reader& db, const ListJobs& query) const;
  Async<JobView> show(sql::Reader& db, const JobRef& ref) const;
  /// Due now, with its attempts counted anew: one that is dead, or waits for its next attempt.
  Async<void> retry(sql::Transaction& tx, const JobRef& ref) const;
  /// One that waits or is dead ends now; one that runs is asked to stop.
  Async<void> cancel(sql::Transaction& tx, const JobRef& ref) const;
  /// Nothing more of the queue begins, in any process.
  Async<void> pause(sql::Transaction& tx, const QueueRef& ref) const;
  Async<void> resume(sql::Transaction& tx, const QueueRef& ref) const;
};

}  // namespace bedplate::jobs
