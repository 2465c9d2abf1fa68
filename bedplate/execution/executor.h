// SPDX-License-Identifier: Apache-2.0
// Executor: the only way to run an operation, for every surface, job, command of the command line, and test. It knows
// no HTTP.
//
//   auto executor = Executor::make(std::move(apis), parts);         // fails, with a sentence, where one cannot be run
//
//   Task task = co_await ok((*executor)->call(tasks::kCreate, caller, input));                       // with types
//   Task once = co_await ok((*executor)->call(tasks::kCreate, caller, input, {.idempotency_key = "17"}));
//
// What happens to a call, in this order; the first step that refuses ends it:
//
//   admit    the caller's rate limit (429), then authorisation: access and scopes (401, 403)
//   run      a query: in one snapshot
//            a command: in a transaction: the outcome kept under the idempotency key, or the operation, the commit
//            hooks, and the outcome to keep; the transaction commits; then what was asked for after the commit
//            a procedure: on the database, each of whose transactions runs the commit hooks
//
// A surface that reads its input in between (REST, whose body may be large) does the two steps itself with a Call. The
// input is a valid value of its type: a surface checks it while it reads it, call() does it here.
//
// A service calls another module's operation by its handle (api.h): a read, or a command in a transaction of its own.
// Inside of a transaction only operations of the same module may be called, and they join it: join(). Another module's
// is refused (`call_crosses_modules`), because that module could not be moved into a process of its own later: enqueue
// a job or publish an event in the commit, or call before or after it.
//
// Thread-safe and immutable once made; everything it is given outlives it. Call from a coroutine on a Loop.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/execution/commit_hook.h"
#include "bedplate/execution/idempotency.h"
#include "bedplate/execution/rate_limit.h"
#include "bedplate/execution/settings.h"
#include "bedplate/execution/shared_rate_limit.h"
#include "bedplate/operations/api.h"
#include "bedplate/sql/call_context.h"

namespace bedplate::sql {
class Database;
class Transaction;
}  // namespace bedplate::sql

namespace bedplate::api {

/// One call of an operation, and what came of it. Named, and alive until run() has ended, as is all that it refers to.
class Call {
 public:
  Call(const Operation& what, const Caller& who) : operation(what), caller(who) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  const Operation& operation;
  const Caller& caller;
  const void* input = nullptr;  ///< of the operation's input type, valid; null: it takes nothing
  void* output = nullptr;       ///< a default-constructed value of its output type; null: it answers nothing
  /// 1 to 128 visible ASCII characters. Only commands of known callers use it.
  std::optional<std::string_view> idempotency_key;
  /// A query sees what was committed up to here, from a replica too.
  sql::CommitPosition after;
  const Extra* extra = nullptr;  ///< values for parameters that are not of the framework's own

  // ---- What came of it.
  std::optional<RateDecision> rate;  ///< of the caller's limit, when it was asked
  bool replayed = false;             ///< the outcome is one that the idempotency key kept; nothing ran
  sql::CommitPosition committed;     ///< of the newest commit, with an error too; empty on SQLite

 private:
  friend class Executor;
  bool admitted_ = false;
};

struct CallOptions {
  std::optional<std::string_view> idempotency_key = {};
  sql::CommitPosition after = {};
  const Extra* extra = nullptr;
};

class Executor {
 public:
  struct Parts {
    const Clock* clock = nullptr;                    ///< required
    sql::Database* database = nullptr;               ///< required when an operation uses it
    std::vector<CommitHook*> commit_hooks;           ///< what takes part in every commit
    SharedRateLimits* shared_rate_limits = nullptr;  ///< null: this process counts for itself
    RateLimitSettings rate_limit;
    IdempotencySettings idempotency;
  };

  /// Checks every operation: names used twice, access that is not said, a database that is missing. All of it is the
  /// author's to mend, so the first problem is reported in a sentence.
  static Result<std::unique_ptr<Executor>> make(std::vector<Api> apis, Parts parts);
  ~Executor();

  std::span<const Api> apis() const { return apis_; }
  /// In the order in which they were declared; they never move.
  const std::deque<Operation>& operations() const { return operations_; }
  /// "tasks.create". Null: it does not exist.
  const Operation* find(std::string_view name) const;
  const Parts& parts() const { return parts_; }

  // ---- In two steps, for surfaces.

  /// Whether this caller may make this call now: see Call::rate. `now_ns` of the steady clock.
  Result<void> admit(Call& call, std::int64_t now_ns) const;
  /// Whether admit_everywhere() has more to ask than admit().
  bool limits_are_shared() const { return limiter_ && parts_.shared_rate_limits; }
  /// The same where replicas count together: it waits for them.
  Async<void> admit_everywhere(Call& call, std::int64_t now_ns) const;

  /// Runs an admitted call of an operation that is a plain function (Operation::invoke_now): without a coroutine.
  Result<void> run_now(Call& call) const;
  /// Runs an admitted call.
  Async<void> run(Call& call);

  // ---- With types, for everybody else.

  /// Admits and runs. Category::invalid with the faults of an input that is not valid; Category::internal
  /// `operation_unknown` where no operation of that name has these types.
  template <class In, class Out>
    requires(!std::is_void_v<In>)
  Async<Out> call(const OperationHandle<In, Out>& handle, const Caller& caller, const In& input,
                  CallOptions options = {});
  template <class Out>
  Async<Out> call(const OperationHandle<void, Out>& handle, const Caller& caller, CallOptions options = {});
  /// Runs an operation whose input was stored as JSON: of a job, of an event. Fields that its type does not know are
  /// ignored: a newer program wrote them. Its answer is dropped.
  Async<void> call_stored(const Operation& operation, const Caller& caller, std::string_view input,
                          const Extra* extra);
  /// Runs a command of the caller's own module in the transaction that the caller is in.
  template <class In, class Out>
  Async<Out> join(sql::Transaction& transaction, const OperationHandle<In, Out>& handle, const Caller& caller,
                  const In& input);

  /// The same with the types forgotten.
  Async<void> call_erased(std::string_view name, const TypeInfo* input_type, const TypeInfo* output_type,
                          const Caller& caller, const void* input, void* output, CallOptions options);
  Async<void> join_erased(sql::Transaction& transaction, std::string_view name, const TypeInfo* input_type,
                          const TypeInfo* output_type, const Caller& caller, const void* input, void* output);

 private:
  Executor(std::vector<Api> apis, Parts parts);
  Result<void> take(Call& call, std::int64_t now_ns) const;
  static Async<void> run_pure(Call& call);
  Async<void> run_query(Call& call);
  Async<void> run_command(Call& call);
  Async<void> run_procedure(Call& call);
  sql::CallContext context_of(const Call& call) const;

  std::vector<Api> apis_;  // names and docs of operations are views into these
  std::deque<Operation> operations_;
  const Parts parts_;
  std::unique_ptr<Idempotency> idempotency_;
  RateLimit limit_;
  std::unique_ptr<RateLimiter> limiter_;  // null: off
};

// ---- details

template <class In, class Out>
  requires(!std::is_void_v<In>)
Async<Out> Executor::call(const OperationHandle<In, Out>& handle, const Caller& caller, const In& input,
                          CallOptions options) {
  if constexpr (std::is_void_v<Out>) {
    co_await ok(call_erased(handle.name, &type_of<In>(), nullptr, caller, &input, nullptr, options));
  } else {
    Out output{};
    co_await ok(call_erased(handle.name, &type_of<In>(), &type_of<Out>(), caller, &input, &output, options));
    co_return output;
  }
}

template <class Out>
Async<Out> Executor::call(const OperationHandle<void, Out>& handle, const Caller& caller,
                          CallOptions options) {
  if constexpr (std::is_void_v<Out>) {
    co_await ok(call_erased(handle.name, nullptr, nullptr, caller, nullptr, nullptr, options));
  } else {
    Out output{};
    co_await ok(call_erased(handle.name, nullptr, &type_of<Out>(), caller, nullptr, &output, options));
    co_return output;
  }
}

template <class In, class Out>
Async<Out> Executor::join(sql::Transaction& transaction, const OperationHandle<In, Out>& handle,
                          const Caller& caller, const In& input) {
  if constexpr (std::is_void_v<Out>) {
    co_await ok(join_erased(transaction, handle.name, &type_of<In>(), nullptr, caller, &input, nullptr));
  } else {
    Out output{};
    co_await ok(
        join_erased(transaction, handle.name, &type_of<In>(), &type_of<Out>(), caller, &input, &output));
    co_return output;
  }
}

}  // namespace bedplate::api
