// SPDX-License-Identifier: Apache-2.0
// The tables of jobs: every transition of a job's state is one of these. Each names the state and the fence that it
// leaves, so what somebody else has taken over changes nothing. Private header of the folder.
//
//   available --claim--> running --complete--> (job_history: done)
//                          | fail: available again, later, or dead
//                          | give_back: available again, as if it had not begun
//                          | rescue: the process died; available again, or dead
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/base/embedded.h"
#include "bedplate/describe/describe.h"
#include "bedplate/jobs/enqueue.h"
#include "bedplate/sql/database.h"

namespace bedplate::jobs {

std::span<const EmbeddedFile> jobs_migrations();

/// A job that this process has claimed.
struct Claimed {
  JobId id;
  std::string kind;
  std::string input;
  std::optional<Uuid> act;
  std::optional<Uuid> tenant_id;
  std::int64_t attempt = 0;
  std::int64_t fence = 0;
  Time run_at{};
  std::int64_t priority = 0;
  bool cancel_asked = false;

  static consteval auto describe() {
    using namespace bedplate::schema;
    using C = Claimed;
    return object<C>("A claimed job",
                     {field<&C::id>("The job"), field<&C::kind>("Its kind"), field<&C::input>("JSON"),
                      field<&C::act>("On whose behalf"), field<&C::tenant_id>("For which tenant"),
                      field<&C::attempt>("Failed starts"), field<&C::fence>("Of this claim"),
                      field<&C::run_at>("When it was due"), field<&C::priority>("Its priority"),
                      field<&C::cancel_asked>("It is to end")});
  }
};

/// A claim, by which its holder is known. What it leaves behind is another one's business once the fence has moved.
struct Claim {
  Claim(JobId job, std::int64_t at_fence) : id(job), fence(at_fence) {}
  JobId id;
  std::int64_t fence;
};

/// A job that runs, and under which fence.
struct Held {
  JobId id;
  std::int64_t fence = 0;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Held>("A running job", {field<&Held::id>("The job"), field<&Held::fence>("Its fence")});
  }
};

/// Texts that depend on the engine and on the kinds of a queue.
class ClaimText {
 public:
  /// `kinds` are names of operations.
  ClaimText(sql::Dialect dialect, std::span<const std::string> kinds);
  const std::string& sql() const { return text_; }

 private:
  std::string text_;
};

inline constexpr std::int64_t kPriorities = 3;

struct ClaimRequest {
  std::string_view queue;
  Uuid worker;
  std::int64_t most = 1;
  Time now{};
  std::array<Time, kPriorities>
      marks{};             ///< of each priority: jobs that were due before this are not looked at
  std::int64_t first = 0;  ///< the priority that is served first
};

/// The job was claimed by another process meanwhile, or cancelled, or rescued: nothing of this attempt may stand.
inline constexpr ErrorCode kJobLost{Category::conflict, "job_lost",
                                    "The job was given to another worker meanwhile."};
/// Its process died three times.
inline constexpr std::string_view kKilledItsWorker = "killed_its_worker";
inline constexpr std::int64_t kCrashesMax = 3;

namespace store {

/// Up to `request.most` that are due, the most urgent first; nothing of a queue that is paused, and nothing for a
/// process that has not said that it lives (beat()).
Async<std::vector<Claimed>> claim(sql::Transaction& tx, const ClaimText& text, const ClaimRequest& request);
/// In the transaction of what it did. `job_lost` when it is not this claim's any more.
Async<void> complete(sql::Transaction& tx, const Claim& claim, Time now);
/// Ends it as cancelled.
Async<void> end_cancelled(sql::Transaction& tx, const Claim& claim, Time now);
/// It failed: again at `run_at`; nothing: it is dead. One that somebody wants cancelled ends as that.
Async<void> fail(sql::Transaction& tx, const Claim& claim, const std::optional<Time>& run_at,
                 const std::string& error, Time now);
/// As if it had not begun, at `run_at`; or cancelled, as above.
Async<void> give_back(sql::Transaction& tx, const Claim& claim, Time run_at, Time now);
/// What runs in this process, as the database has it.
Async<std::vector<Held>> running_here(sql::Transaction& tx, const Uuid& worker, std::string_view queue);

/// This process lives. Its jobs that somebody wants cancelled.
Async<std::vector<JobId>> beat(sql::Transaction& tx, const Uuid& worker, const std::string& host);
/// Makes available again what ran in processes that were not heard of for so long, or are unknown, or (nothing) in any:
/// some at a time. How many.
Async<std::int64_t> rescue(sql::Transaction& tx, const Uuid& worker,
                           const std::optional<std::chrono::milliseconds>& silent_for, Time now);
/// The process goes.
Async<void> sign_off(sql::Transaction& tx, const Uuid& worker);
/// Deletes some of what ended before this. How many.
Async<std::int64_t> delete_history(sql::Transaction& tx, Time before);
/// When the next waiting job of the queue is due.
Async<std::optional<Time>> next_due(sql::Reader& db, std::string_view queue);

}  // namespace store
}  // namespace bedplate::jobs
