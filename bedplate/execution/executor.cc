// SPDX-License-Identifier: Apache-2.0
#include "bedplate/execution/executor.h"

#include <algorithm>
#include <chrono>
#include <set>

#include <fmt/format.h>

#include "bedplate/describe/json/json.h"
#include "bedplate/describe/validate.h"
#include "bedplate/execution/hooked_database.h"
#include "bedplate/operations/value_slot.h"
#include "bedplate/sql/database.h"

namespace bedplate::api {
namespace {

std::int64_t steady_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Arguments arguments_of(const Call& call, const Caller& caller) {
  Arguments arguments(caller);
  arguments.input = call.input;
  arguments.output = call.output;
  arguments.extra = call.extra;
  return arguments;
}

/// What runs inside a query's snapshot.
class QueryBody final : public sql::ReadBody {
 public:
  explicit QueryBody(const Call& call)
      : operation_(call.operation), arguments_(arguments_of(call, call.caller)) {}

  Async<void> run(sql::Reader& reader) override {
    arguments_.data = &reader;
    return operation_.invoke(operation_.object, arguments_);
  }

 private:
  const Operation& operation_;
  Arguments arguments_;
};

/// What runs inside a command's transaction: the kept outcome, or the command, the hooks, and the outcome to keep. It
/// may run more than once, so it begins by forgetting what an earlier run left.
class CommandBody final : public sql::TransactionBody {
 public:
  CommandBody(Call& call, const Executor::Parts& parts, Idempotency& idempotency, Idempotency::Claim* claim)
      : call_(call),
        parts_(parts),
        idempotency_(idempotency),
        claim_(claim),
        caller_(inside(call)),
        arguments_(arguments_of(call, caller_)) {}

  Async<void> run(sql::Transaction& transaction) override {
    arguments_.data = &transaction;
    if (!claim_ && parts_.commit_hooks.empty())
      return call_.operation.invoke(call_.operation.object, arguments_);
    return claim_ ? run_once(transaction) : run_with_hooks(transaction);
  }

 private:
  static Caller inside(const Call& call) {
    Caller caller = call.caller;
    caller.transaction_of = call.operation.module;
    return caller;
  }

  Async<void> run_with_hooks(sql::Transaction& transaction) {
    Result<void> done = co_await call_.operation.invoke(call_.operation.object, arguments_);
    Commit commit(call_.operation.name, caller_);
    commit.operation = &call_.operation;
    commit.input = call_.input;
    commit.output = call_.output;
    commit.extra = call_.extra;
    co_await ok(run_hooks(parts_.commit_hooks, commit, transaction, std::move(done)));
  }

  Async<void> run_once(sql::Transaction& transaction) {
    const Time now = parts_.clock->now();
    record_ = {};
    call_.replayed = co_await ok(
        idempotency_.replay(transaction, *claim_, now, call_.operation.output, call_.output, record_));
    if (call_.replayed) {
      if (record_.refused) co_await std::unexpected(std::move(*record_.refused));
      co_return;
    }
    Result<void> done = co_await run_with_hooks(transaction);
    if (!done && !done.error().keeps_writes()) co_await std::unexpected(std::move(done.error()));
    const Error* refused = done ? nullptr : &done.error();
    co_await ok(
        idempotency_.keep(transaction, *claim_, record_, now, call_.operation.output, call_.output, refused));
    if (!done) co_await std::unexpected(std::move(done.error()));
  }

  Call& call_;
  const Executor::Parts& parts_;
  Idempotency& idempotency_;
  Idempotency::Claim* claim_;
  const Caller caller_;
  Arguments arguments_;
  Idempotency::Record record_;
};

std::unexpected<Error> wrong(const Operation& operation, std::string_view what) {
  return bedplate::fail(Category::invalid, "operation_invalid", fmt::format("{}: {}", operation.name, what));
}

Result<void> check(const Operation& operation, const Executor::Parts& parts) {
  if (operation.kind != OperationKind::pure && !parts.database)
    return wrong(operation, "it uses the database, and there is none.");
  if (operation.access == Access::unsaid) return wrong(operation, "it does not say who may call it.");
  if (!operation.object) return wrong(operation, "there is no object that it could be called on.");
  if (operation.output && operation.output->kind != bedplate::Kind::object)
    return wrong(operation, "its output must be a described struct, not a list or a single value.");
  if (operation.isolation && operation.kind != OperationKind::command)
    return wrong(operation,
                 "read_committed() is for commands: a procedure says it to each of its transactions.");
  if (operation.cost < 0) return wrong(operation, "its cost is not negative.");
  return {};
}

std::unexpected<Error> unknown(std::string_view name) {
  return bedplate::fail(Category::internal, "operation_unknown",
                        fmt::format("No operation {} with these types is known.", name));
}

Result<void> allowed(const RateDecision& decision) {
  if (decision.allowed) return {};
  return std::unexpected(
      Error(Category::rate_limited, "rate_limited", "You have made too many requests. Try again later.")
          .with_retry_after(std::chrono::seconds(decision.retry_after_seconds)));
}

Result<void> authorise(const Call& call) {
  const Operation& operation = call.operation;
  if (operation.access == Access::open_to_all || operation.access == Access::optional_user) return {};
  if (call.caller.anonymous())
    return bedplate::fail(Category::unauthenticated, "token_required",
                          "Send an access token: `Authorization: Bearer ...`.");
  if (operation.access == Access::system_only && call.caller.principal->kind != auth::PrincipalKind::system)
    return bedplate::fail(Category::forbidden, "system_only",
                          "Only the program itself calls this operation.");
  for (std::string_view scope : operation.scopes)
    if (!call.caller.principal->has_scope(scope))
      return bedplate::fail(Category::forbidden, "scope_missing",
                            fmt::format("Your token does not have the scope `{}`.", scope));
  return {};
}

Result<void> check_ready(const Operation& operation, bool admitted, const Arguments& arguments) {
  if (!admitted)
    return bedplate::fail(Category::internal, "not_admitted", "The call was not admitted before it was run.");
  if (!operation.are_given || operation.are_given(arguments)) return {};
  return bedplate::fail(
      Category::internal, "parameter_missing",
      fmt::format("{} takes a parameter that this caller does not give it.", operation.name));
}

Async<void> failed(Error error) {
  co_await std::unexpected(std::move(error));
}

}  // namespace

Executor::Executor(std::vector<Api> apis, Parts parts) : apis_(std::move(apis)), parts_(std::move(parts)) {
  idempotency_ = std::make_unique<Idempotency>(
      parts_.idempotency, parts_.database ? parts_.database->dialect() : sql::Dialect::sqlite);
  const RateLimitSettings& limits = parts_.rate_limit;
  if (!limits.enabled) return;
  limit_ = {limits.principal_rate, limits.principal_burst};
  limiter_ = std::make_unique<RateLimiter>(limit_, static_cast<std::size_t>(limits.entries_max));
}

Executor::~Executor() = default;

Result<std::unique_ptr<Executor>> Executor::make(std::vector<Api> apis, Parts parts) {
  std::unique_ptr<Executor> executor(new Executor(std::move(apis), std::move(parts)));
  std::set<std::string_view> names;
  for (const Api& api : executor->apis_)
    for (const Operation& declared : api.operations()) {
      Operation& operation = executor->operations_.emplace_back(declared);
      operation.module = api.name();
      if (!names.insert(operation.name).second)
        return wrong(operation, "another operation has the same name.");
      if (Result<void> good = check(operation, executor->parts_); !good)
        return std::unexpected(std::move(good.error()));
    }
  for (const Operation& operation : executor->operations_)
    for (std::string_view link : operation.links)
      if (!names.contains(link))
        return wrong(operation, fmt::format("it links to {}, which does not exist.", link));
  return executor;
}

const Operation* Executor::find(std::string_view name) const {
  auto found = std::ranges::find(operations_, name, &Operation::name);
  return found == operations_.end() ? nullptr : &*found;
}

// Nobody is limited who cannot be told from others; addresses are a surface's business.
Result<void> Executor::take(Call& call, std::int64_t now_ns) const {
  const auth::Principal* principal = call.caller.principal;
  if (!limiter_ || !principal || principal->kind == auth::PrincipalKind::system || call.operation.cost == 0)
    return {};
  call.rate = limiter_->take(rate_key_of(principal->user), call.operation.cost, now_ns);
  return allowed(*call.rate);
}

Result<void> Executor::admit(Call& call, std::int64_t now_ns) const {
  if (Result<void> taken = take(call, now_ns); !taken) return taken;
  if (Result<void> authorised = authorise(call); !authorised) return authorised;
  call.admitted_ = true;
  return {};
}

Async<void> Executor::admit_everywhere(Call& call, std::int64_t now_ns) const {
  co_await ok(take(call, now_ns));
  if (call.rate && limits_are_shared()) {
    std::string name = "p:" + call.caller.principal->user.to_string();
    std::optional<RateDecision> decision =
        co_await ok(parts_.shared_rate_limits->take(std::move(name), limit_, call.operation.cost));
    // Nothing: it is away, and what was decided here stands.
    if (decision) call.rate = *decision;
    if (decision) co_await ok(allowed(*decision));
  }
  co_await ok(authorise(call));
  call.admitted_ = true;
}

Result<void> Executor::run_now(Call& call) const {
  const Arguments arguments = arguments_of(call, call.caller);
  if (Result<void> ready = check_ready(call.operation, call.admitted_, arguments); !ready) return ready;
  return call.operation.invoke_now(call.operation.object, arguments);
}

// What the caller has seen of the database: its queries are answered by a replica that has come so far.
sql::CallContext Executor::context_of(const Call& call) const {
  sql::CallContext context(call.caller.tenant());
  context.after = call.after;
  context.isolation = call.operation.isolation;
  context.user = user_of(call.caller);
  context.clock = parts_.clock;
  context.from_replica = call.operation.kind == OperationKind::query;
  return context;
}

// No coroutine of its own: a frame less for every call.
Async<void> Executor::run(Call& call) {
  if (Result<void> ready = check_ready(call.operation, call.admitted_, arguments_of(call, call.caller));
      !ready)
    return failed(std::move(ready.error()));
  switch (call.operation.kind) {
    case OperationKind::query:
      return run_query(call);
    case OperationKind::command:
      return run_command(call);
    case OperationKind::procedure:
      return run_procedure(call);
    case OperationKind::pure:
      break;
  }
  return run_pure(call);
}

Async<void> Executor::run_pure(Call& call) {
  const Operation& operation = call.operation;
  const Arguments arguments = arguments_of(call, call.caller);
  if (operation.invoke_now)
    co_await ok(operation.invoke_now(operation.object, arguments));
  else
    co_await ok(operation.invoke(operation.object, arguments));
}

Async<void> Executor::run_query(Call& call) {
  QueryBody query(call);
  const sql::CallContext context = context_of(call);
  co_await ok(parts_.database->read(context, static_cast<sql::ReadBody&>(query)));
}

Async<void> Executor::run_command(Call& call) {
  const Operation& operation = call.operation;
  std::optional<Idempotency::Claim> claim;
  if (call.idempotency_key && operation.idempotent_replay && call.caller.principal) {
    Result<Idempotency::Claim> taken = idempotency_->claim(*call.idempotency_key, *call.caller.principal,
                                                           operation.name, operation.input, call.input);
    claim.emplace(co_await ok(std::move(taken)));
  }
  CommandBody command(call, parts_, *idempotency_, claim ? &*claim : nullptr);
  sql::CallContext context = context_of(call);
  context.committed = &call.committed;
  co_await ok(parts_.database->commit(context, command));
}

Async<void> Executor::run_procedure(Call& call) {
  Commit commit(call.operation.name, call.caller);
  commit.operation = &call.operation;
  commit.input = call.input;
  commit.extra = call.extra;
  HookedDatabase database(*parts_.database, parts_.commit_hooks, commit, parts_.clock);
  Arguments arguments = arguments_of(call, call.caller);
  sql::Database* given = &database;
  arguments.data = given;
  Result<void> done = co_await call.operation.invoke(call.operation.object, arguments);
  call.committed = database.newest();
  if (!done) co_await std::unexpected(std::move(done.error()));
}

Async<void> Executor::call_erased(std::string_view name, const TypeInfo* input_type,
                                  const TypeInfo* output_type, const Caller& caller, const void* input,
                                  void* output, CallOptions options) {
  const Operation* operation = find(name);
  if (!operation || operation->input != input_type || operation->output != output_type)
    co_await unknown(name);
  if (!caller.transaction_of.empty())
    co_await bedplate::fail(
        Category::internal, "call_crosses_modules",
        fmt::format(
            "{} was called inside of a transaction of {}: call it before or after, or enqueue a job or "
            "publish an event in the commit. An operation of the same module joins it: Executor::join().",
            name, caller.transaction_of));
  Call call(*operation, caller);
  call.input = input;
  call.output = output;
  call.idempotency_key = options.idempotency_key;
  call.after = options.after;
  call.extra = options.extra;
  const std::int64_t now_ns = steady_now_ns();
  if (limits_are_shared())
    co_await ok(admit_everywhere(call, now_ns));
  else
    co_await ok(admit(call, now_ns));
  if (input_type) {
    Faults faults;
    validate(*input_type, input, faults);
    if (!faults.empty()) co_await std::unexpected(std::move(faults).to_error());
  }
  co_await ok(run(call));
}

Async<void> Executor::call_stored(const Operation& operation, const Caller& caller, std::string_view input,
                                  const Extra* extra) {
  ValueSlot value(operation.input);
  ValueSlot output(operation.output);
  if (operation.input) {
    Faults faults;
    JsonLimits limits;
    limits.view = View::stored;
    limits.ignore_unknown_fields = true;
    co_await ok(read_json(input, *operation.input, value.data(), faults, limits));
    validate(*operation.input, value.data(), faults);
    if (!faults.empty()) co_await std::unexpected(std::move(faults).to_error());
  }
  Call call(operation, caller);
  call.input = value.data();
  call.output = output.data();
  call.extra = extra;
  co_await ok(admit(call, steady_now_ns()));
  co_await ok(run(call));
}

Async<void> Executor::join_erased(sql::Transaction& transaction, std::string_view name,
                                  const TypeInfo* input_type, const TypeInfo* output_type,
                                  const Caller& caller, const void* input, void* output) {
  const Operation* operation = find(name);
  if (!operation || operation->input != input_type || operation->output != output_type)
    co_await unknown(name);
  if (operation->module != caller.transaction_of)
    co_await bedplate::fail(
        Category::internal, "call_crosses_modules",
        fmt::format(
            "{} cannot join a transaction of {}: only operations of the same module can, since another "
            "module may be in another process. Enqueue a job or publish an event in the commit instead.",
            name, caller.transaction_of.empty() ? "nobody" : caller.transaction_of));
  if (operation->kind != OperationKind::command)
    co_await bedplate::fail(
        Category::internal, "call_is_no_command",
        fmt::format("{} is a {}: only a command joins a transaction.", name, kind_name(operation->kind)));
  Call call(*operation, caller);
  call.input = input;
  call.output = output;
  co_await ok(authorise(call));
  Faults faults;
  if (input_type) validate(*input_type, input, faults);
  if (!faults.empty()) co_await std::unexpected(std::move(faults).to_error());
  Arguments arguments = arguments_of(call, caller);
  arguments.data = &transaction;
  co_await ok(check_ready(*operation, true, arguments));
  co_await ok(operation->invoke(operation->object, arguments));
}

}  // namespace bedplate::api
