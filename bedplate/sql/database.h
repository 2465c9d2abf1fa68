// SPDX-License-Identifier: Apache-2.0
// Database: the port. One per database; drivers are chosen by URL (open.h).
//
//   Result<User> user = co_await db.transact(&Store::insert, store, new_user);   // store.insert(tx, new_user)
//   auto tasks = co_await ok(db.read(&Store::list, store, filter));              // store.list(reader, filter)
//   auto own = co_await ok(db.read(context, &Store::list, store, filter));       // for a tenant, and the like
//
// transact() opens a transaction, runs the function, and commits if it succeeds; the answer comes after the
// commit is on disk. The function may run more than once (a commit that fails, a serialisation retry), so it
// has no effect outside its transaction and awaits nothing else; it may run on another thread. read() gives
// one snapshot, which holds everything that was acknowledged to anybody before it began; the function may
// start again on another thread when it takes long.
//
// Arguments are taken by reference and live in the caller's frame until the answer. Call from a coroutine on
// a Loop. Thread-safe. Past its queue's length it answers Category::unavailable `database_busy` at once, with
// a Retry-After.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/async/shield.h"
#include "bedplate/sql/call_context.h"
#include "bedplate/sql/error.h"
#include "bedplate/sql/maintenance.h"
#include "bedplate/sql/session.h"

namespace bedplate::sql {

/// What to do in a transaction, with its types forgotten.
class TransactionBody {
 public:
  virtual Async<void> run(Transaction& transaction) = 0;

 protected:
  ~TransactionBody() = default;
};

/// What to do with a snapshot.
class ReadBody {
 public:
  virtual Async<void> run(Reader& reader) = 0;

 protected:
  ~ReadBody() = default;
};

/// Numbers for /metrics. Counters only grow; gauges are as of now. What an engine has not stays zero.
struct DatabaseStats {
  std::uint64_t commits = 0;            ///< transactions made durable; a group commit counts once
  std::uint64_t commands = 0;           ///< commands answered
  std::uint64_t commands_failed = 0;    ///< of these, rolled back
  std::uint64_t commands_rejected = 0;  ///< turned away because the queue was full
  std::uint64_t batches_retried = 0;    ///< group commits (PostgreSQL: transactions) undone and run again
  std::uint64_t batch_max = 0;          ///< the largest group commit so far
  std::uint64_t queue_depth = 0;        ///< commands waiting now
  std::uint64_t reads = 0;              ///< read bodies
  std::uint64_t reads_moved = 0;        ///< of these, restarted on a worker, or on a connection of their own
  std::uint64_t reads_waiting = 0;      ///< waiting for a worker now
  std::uint64_t slow_queries = 0;
  std::uint64_t checkpoints = 0;
  std::uint64_t wal_size_bytes = 0;
  std::uint64_t wal_coalescing_fallbacks =
      0;                                ///< SQLite wrote its log in an unexpected order: coalescing_wal_vfs.h
  std::uint64_t reads_resent = 0;       ///< statements sent again because a neighbour's had failed
  std::uint64_t reads_on_replicas = 0;  ///< read bodies that a replica answered
  std::uint64_t connections = 0;        ///< to the server, open now
  std::uint64_t connections_busy = 0;   ///< of these, lent to a transaction
  std::uint64_t connections_lost = 0;   ///< ended by the server or the network
  std::uint64_t connects_failed = 0;    ///< attempts to connect
  std::uint64_t commits_unknown = 0;    ///< the connection broke in COMMIT: answered `commit_unknown`
};

/// What one named statement has cost so far (statement_text.h).
struct StatementStats {
  std::string_view name;  ///< empty: all without a name, and those beyond the first 255 names
  std::uint64_t runs = 0;
  std::uint64_t failures = 0;  ///< of these, ended in an error
  std::uint64_t slow = 0;      ///< of these, took longer than the limit of the slow log
  std::uint64_t time_us =
      0;  ///< of all runs; from a coarse clock, so right on average and not for a single run
};

namespace detail {

template <class T>
struct AsyncValue;
template <class T>
struct AsyncValue<Async<T>> {
  using type = T;
};

/// `f(session, args...)`, or `(object.*f)(session, args...)`.
/// (Constrained, so that clang, which looks at return types before constraints, passes over it for a body.)
template <class F, class Session, class... Args>
  requires(std::is_member_function_pointer_v<F> || std::invocable<F&, Session&, Args&...>)
decltype(auto) call_with(F& f, Session& session, Args&... args) {
  if constexpr (std::is_member_function_pointer_v<F>) {
    return [&](auto& object, auto&... rest) -> decltype(auto) {
      return std::invoke(f, object, session, rest...);
    }(args...);
  } else {
    return std::invoke(f, session, args...);
  }
}
template <class F, class Session, class... Args>
using CallValue = typename AsyncValue<decltype(call_with(std::declval<F&>(), std::declval<Session&>(),
                                                         std::declval<Args&>()...))>::type;

/// A function to run in a session: neither a body nor what may come before the function.
template <class F>
concept IsCall = !std::derived_from<std::remove_cvref_t<F>, TransactionBody> &&
                 !std::derived_from<std::remove_cvref_t<F>, ReadBody> &&
                 !std::derived_from<std::remove_cvref_t<F>, CallContext>;

/// Adapts a function and its arguments to a body; keeps the value of its last run.
template <class Body, class Session, class F, class... Args>
class CallBody final : public Body {
 public:
  using Value = CallValue<F, Session, Args...>;

  CallBody(F& f, Args&... args) : f_(f), args_(args...) {}

  Async<void> run(Session& session) override {
    auto call = [&](Args&... args) { return call_with(f_, session, args...); };
    if constexpr (std::is_void_v<Value>) {
      co_await ok(std::apply(call, args_));
    } else {
      Value value = co_await ok(std::apply(call, args_));
      value_.emplace(std::move(value));
    }
  }
  Value take() {
    if constexpr (!std::is_void_v<Value>) return std::move(*value_);
  }

 private:
  struct Nothing {};
  F& f_;
  std::tuple<Args&...> args_;
  std::optional<std::conditional_t<std::is_void_v<Value>, Nothing, Value>> value_;
};

}  // namespace detail

class Database {
 public:
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  virtual ~Database() = default;

  /// Runs `f(sql::Transaction&, args...)`, or `(object.*f)(sql::Transaction&, args...)`, which returns
  /// Async<T>.
  template <class F, class... Args>
    requires detail::IsCall<F>
  Async<detail::CallValue<F, Transaction, std::remove_reference_t<Args>...>> transact(
      const CallContext& context, F f, Args&&... args) {
    detail::CallBody<TransactionBody, Transaction, F, std::remove_reference_t<Args>...> body(f, args...);
    co_await ok(commit(context, body));
    co_return body.take();
  }
  template <class F, class... Args>
    requires detail::IsCall<F>
  Async<detail::CallValue<F, Transaction, std::remove_reference_t<Args>...>> transact(F f, Args&&... args) {
    return transact(kNoContext, std::move(f), std::forward<Args>(args)...);
  }
  /// Runs `f(sql::Reader&, args...)`, or `(object.*f)(sql::Reader&, args...)`, which returns Async<T>.
  template <class F, class... Args>
    requires detail::IsCall<F>
  Async<detail::CallValue<F, Reader, std::remove_reference_t<Args>...>> read(const CallContext& context, F f,
                                                                             Args&&... args) {
    detail::CallBody<ReadBody, Reader, F, std::remove_reference_t<Args>...> body(f, args...);
    co_await ok(read(context, static_cast<ReadBody&>(body)));
    co_return body.take();
  }
  template <class F, class... Args>
    requires detail::IsCall<F>
  Async<detail::CallValue<F, Reader, std::remove_reference_t<Args>...>> read(F f, Args&&... args) {
    return read(kNoContext, std::move(f), std::forward<Args>(args)...);
  }

  virtual Async<void> transact(const CallContext& context, TransactionBody& body) = 0;
  virtual Async<void> read(const CallContext& context, ReadBody& body) = 0;
  Async<void> transact(TransactionBody& body) { return commit(kNoContext, body); }
  /// transact(), and after it what the transaction asked for (Transaction::after_commit()), unless it was rolled back.
  /// The forms of transact() that take a function do this.
  Async<void> commit(CallContext context, TransactionBody& body) {
    CommitActions actions(announcements());
    context.actions = &actions;
    Result<void> done = co_await transact(context, body);
    const bool may_stand = done || done.error().keeps_writes() || done.error().code() == kCommitUnknown;
    if (may_stand && !actions.empty()) co_await shielded(actions.run());
    if (!done) co_await std::unexpected(std::move(done.error()));
  }
  Async<void> read(ReadBody& body) { return read(kNoContext, body); }

  /// The read replicas, in the order of the configuration, as an operator knows them: "db2.internal:5432".
  virtual std::vector<std::string> replicas() const { return {}; }
  /// Whether that one answers a read, and still follows a primary. An error otherwise; its detail says which.
  virtual Async<void> ask_replica([[maybe_unused]] std::size_t index) { co_return; }

  /// What transactions announce once they have committed.
  virtual Announcements& announcements() { return announcements_; }

  virtual Dialect dialect() const = 0;
  virtual DatabaseStats stats() const = 0;
  /// By name, in its order. Thread-safe.
  virtual std::vector<StatementStats> statement_stats() const { return {}; }
  /// A connection for migrations (migrate.h), beside those that serve.
  virtual Result<std::unique_ptr<Maintenance>> maintenance() = 0;

  /// Takes no more work, finishes what is queued, and closes every connection. From any thread, once; blocks.
  /// The loops that it was used on have stopped, and exist. The destructor does it too.
  virtual void close() = 0;

 private:
  Announcements announcements_;
};

}  // namespace bedplate::sql
