// SPDX-License-Identifier: Apache-2.0
// enqueue(): work for later, in the commit of what asks for it.
//
//   inline constexpr jobs::Job<SendReceipt> kSendReceipt{"orders.send_receipt"};      // api.h: a name and an input
//
//   Order order = co_await ok(...);                                                   // in a command
//   co_await ok(jobs::enqueue(tx, kSendReceipt, SendReceipt{order.id}));
//   co_await ok(jobs::enqueue(tx, kSendReceipt, SendReceipt{order.id}, {.run_at = order.paid_at + 1h}));
//
// The job is there exactly when the transaction commits; a worker then runs it (app::Module::job()), at once or at
// `run_at`, as the system, on behalf of the user whose call enqueued it.
//
// The input is written as JSON before this returns, and read back by its description: rules of fields hold for jobs as
// they do for requests. Give it ids rather than copies: it is data at rest, and as old as the job.
//
// Errors: Category::too_large `job_input_too_large` beyond kInputSizeMax; Category::conflict `job_exists` for a unique
// job with Conflict::refuse.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bedplate/async/async.h"
#include "bedplate/base/id.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/describe.h"
#include "bedplate/sql/session.h"

namespace bedplate::jobs {

struct JobTag;
/// Names a job for good, and is the same for all of its attempts: the key to give to a service outside that knows
/// idempotency keys. Sorts by the time of enqueuing (UUIDv7).
using JobId = Id<JobTag>;

/// A kind of job, as others enqueue it: its name, its input and its queue. It stands in a module's api.h.
template <class In>
struct Job {
  using Input = In;
  using Output = void;
  std::string_view name;  ///< "orders.send_receipt"
  /// Jobs of one queue share its workers; queues do not wait for each other. Empty: the module's name.
  std::string_view queue = {};
};

enum class Priority : std::uint8_t { high, normal, low };

/// How long no second job with the same unique key is enqueued.
enum class Until : std::uint8_t {
  started,   ///< until it begins: what comes while it runs is another job
  finished,  ///< until it has ended for good: done, cancelled, or dead
};

/// What happens to a second one.
enum class Conflict : std::uint8_t {
  keep,     ///< it is dropped; enqueue() gives the id of the first
  replace,  ///< the first takes over its input, its time and its user, if it has not begun; else it is dropped
  refuse,   ///< `job_exists`
};

struct EnqueueOptions {
  std::optional<Time> run_at = {};        ///< not before this; nothing: at once
  std::optional<Priority> priority = {};  ///< nothing: Priority::normal
  /// Of jobs of one kind and tenant with the same key, one waits at a time. At most 200 bytes; empty: any number.
  std::string unique_key = {};
  Until unique_until = Until::started;
  Conflict on_conflict = Conflict::keep;
};

inline constexpr std::size_t kInputSizeMax = 64 << 10;
inline constexpr ErrorCode kJobExists{Category::conflict, "job_exists", "The same job is waiting already."};

/// The queue of a job: as named, or "orders" of "orders.send_receipt".
constexpr std::string_view queue_of(std::string_view job_name, std::string_view queue) {
  return queue.empty() ? job_name.substr(0, job_name.find('.')) : queue;
}

/// With the types forgotten. `name`, `input` are used before it returns.
Async<JobId> enqueue_erased(sql::Transaction& tx, std::string_view name, std::string_view queue,
                            const TypeInfo& type, const void* input, EnqueueOptions options);

template <class In>
Async<JobId> enqueue(sql::Transaction& tx, const Job<In>& job, const In& input, EnqueueOptions options = {}) {
  return enqueue_erased(tx, job.name, queue_of(job.name, job.queue), type_of<In>(), &input,
                        std::move(options));
}

/// Takes back a job that has not begun; asks one that runs to stop. False: it has ended, or never was.
Async<bool> cancel(sql::Transaction& tx, JobId id);

/// What workers of a queue listen to (sql/announcements.h).
std::string topic_of(std::string_view queue);

}  // namespace bedplate::jobs
