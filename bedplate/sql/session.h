// SPDX-License-Identifier: Apache-2.0
// Reader and Transaction: how operations talk to the database.
//
//   Async<Task> Store::find(sql::Reader& db, TaskId id) {
//     Task task = co_await ok(db.one<Task>("SELECT id, title FROM tasks WHERE id = $1", id));
//     co_return task;
//   }
//   Async<void> Store::rename(sql::Transaction& tx, TaskId id, std::string_view title) {
//     std::int64_t changed = co_await ok(tx.run("UPDATE tasks SET title = $2 WHERE id = $1", id, title));
//     if (changed == 0) co_await fail(Category::not_found, "task_not_found", "There is no such task.");
//   }
//
// Each call is something to await: with ok() for the value, without for a Result. Statements of one session
// run one after another, in the order in which they are awaited. The text of a statement and its arguments
// outlive the wait; in `co_await ok(db.one<Task>(kFind, id))` they do.
//
// A row is a described struct (columns are matched to fields by name: each column has a field and each field
// a column, or it is an error that names it) or a scalar (one column). Statement texts are few and fixed:
// drivers keep them prepared, so values belong in parameters and never in the text.
//
// A text may have a name, which the slow log and the metrics show: statement_text.h. What only reaches rows by their
// key need not be written by hand: table.h makes it of the description.
//
// A session belongs to the coroutine that was given it, and ends with it. Error codes are in error.h.
#pragma once

#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/async/cancel.h"
#include "bedplate/base/result.h"
#include "bedplate/sql/after_commit.h"
#include "bedplate/sql/call_context.h"
#include "bedplate/sql/dialect.h"
#include "bedplate/sql/params.h"
#include "bedplate/sql/statement_text.h"

namespace bedplate::sql {

/// Where rows go, with the row's type forgotten: drivers are compiled once, not once a row type.
struct RowTarget {
  const TypeInfo* type = nullptr;          ///< null: the statement returns no rows, or nobody wants them
  void* (*next)(void* context) = nullptr;  ///< a default-constructed row to fill
  void* context = nullptr;
  std::size_t rows_max = 0;  ///< 1: stop after the first; 0: all, up to the driver's limit
};

/// What the answer of a statement must have: without it the answer is an error.
enum class Required : std::uint8_t {
  nothing,
  row,         ///< a row, or Statement::not_found, or `row_not_found`
  one_change,  ///< a changed row, or it was overtaken (error.h)
};

/// One statement on its way through a driver. It lives in the frame of the coroutine that awaits it.
class Statement : public Op {
 public:
  Statement(const Text& text, RowTarget rows, Required must_have = Required::nothing)
      : sql(text.sql), name(text.name), target(rows), required(must_have) {}
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  std::string_view sql;
  std::string_view name;  ///< empty: it has none
  std::span<const Param> params;
  RowTarget target;
  Required required;
  const ErrorCode* not_found = nullptr;  ///< what one_or() says when no row is there

  void* driver = nullptr;  ///< the driver's, while the statement waits

  // The answer, besides Op::error.
  std::int64_t rows_read = 0;
  std::int64_t rows_affected = 0;

  /// With the answer here: it is an error. Turns an answer without what was required into one.
  bool failed() {
    if (error) return true;
    if (required == Required::nothing) return false;
    if ((required == Required::row ? rows_read : rows_affected) > 0) return false;
    set_missing();
    return true;
  }
  /// For drivers: the answer of a statement that waited is here. Its coroutine goes on, or ends if it said
  /// ok().
  void complete() {
    failed();
    resume();
  }

 private:
  void set_missing();
};

/// What a driver implements for a session.
class Session {
 public:
  /// Runs the statement. True: it is done, its answer stands in it. False: the driver resumes it later.
  virtual bool start(Statement& statement) = 0;
  /// A statement that start() left waiting is not waited for after all: it is touched no more. (A driver
  /// whose statements are done when start() returns has nothing to do.)
  virtual void withdraw(Statement& statement) { static_cast<void>(statement); }
  virtual Dialect dialect() const = 0;

 protected:
  ~Session() = default;
};

namespace detail {

template <class T>
struct One {
  std::optional<T> row;
  static constexpr std::size_t kRowsMax = 1;
  static constexpr Required kRequired = Required::row;
  static void* next(void* self) { return &static_cast<One*>(self)->row.emplace(); }
  T take() { return std::move(*row); }
};
template <class T>
struct Maybe {
  std::optional<T> row;
  static constexpr std::size_t kRowsMax = 1;
  static constexpr Required kRequired = Required::nothing;
  static void* next(void* self) { return &static_cast<Maybe*>(self)->row.emplace(); }
  std::optional<T> take() { return std::move(row); }
};
template <class T>
struct All {
  std::vector<T> rows;
  static constexpr std::size_t kRowsMax = 0;
  static constexpr Required kRequired = Required::nothing;
  static void* next(void* self) { return &static_cast<All*>(self)->rows.emplace_back(); }
  std::vector<T> take() { return std::move(rows); }
};

}  // namespace detail

/// A statement that was asked for and not yet awaited: await it at once, as a whole or through ok().
template <class Collect, std::size_t N>
class [[nodiscard]] Query : public Statement {
 public:
  using Row = typename std::remove_cvref_t<decltype(std::declval<Collect&>().take())>;

  template <class... Args>
  Query(Session& session, const TypeInfo& row, const Text& text, const Args&... args)
      : Statement(text, {&row, &Collect::next, &collected_, Collect::kRowsMax}, Collect::kRequired),
        session_(session),
        values_{Param(args)...} {
    params = std::span<const Param>(values_.data(), sizeof...(Args));
  }
  Query(Session& session, const TypeInfo& row, const Text& text, const Params& list)
      : Statement(text, {&row, &Collect::next, &collected_, Collect::kRowsMax}, Collect::kRequired),
        session_(session) {
    params = list.list();
  }
  template <class... Args>
  Query(const ErrorCode& missing, Session& session, const TypeInfo& row, const Text& text,
        const Args&... args)
      : Query(session, row, text, args...) {
    not_found = &missing;
  }

  /// Starts it. True: the answer is here.
  bool begin() { return session_.start(*this); }
  void withdraw() { session_.withdraw(*this); }
  Row take() { return collected_.take(); }

 private:
  Session& session_;
  Collect collected_;
  std::array<Param, N == 0 ? 1 : N> values_;
};

/// A statement that returns no rows; its answer is how many rows it changed.
template <std::size_t N>
class [[nodiscard]] Command : public Statement {
 public:
  using Row = std::int64_t;

  template <class... Args>
  Command(Session& session, const Text& text, const Args&... args)
      : Statement(text, {}), session_(session), values_{Param(args)...} {
    params = std::span<const Param>(values_.data(), sizeof...(Args));
  }
  Command(Session& session, const Text& text, const Params& list) : Statement(text, {}), session_(session) {
    params = list.list();
  }

  bool begin() { return session_.start(*this); }
  void withdraw() { session_.withdraw(*this); }
  std::int64_t take() { return rows_affected; }

 private:
  Session& session_;
  std::array<Param, N == 0 ? 1 : N> values_;
};

namespace detail {

/// Awaits a Query or Command as a Result.
template <class Q>
class QueryAwaiter {
 public:
  explicit QueryAwaiter(Q& query) : query_(query) {}

  bool await_ready() { return query_.begin(); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    if (query_.wait(h)) return true;
    query_.withdraw();
    return false;
  }
  /// A reference, so that a dropped result is a warning (async.h).
  [[nodiscard, gnu::warn_unused_result]] Result<typename Q::Row>&& await_resume() {
    if (query_.failed()) return std::move(result_.emplace(std::unexpect, std::move(*query_.error)));
    return std::move(result_.emplace(query_.take()));
  }

 private:
  Q& query_;
  std::optional<Result<typename Q::Row>> result_;
};

/// Awaits one through ok(): the value, or the awaiting coroutine ends with the error.
template <class Q>
class [[nodiscard]] OkQueryAwaiter {
 public:
  explicit OkQueryAwaiter(Q& query) : query_(query) {}

  bool await_ready() {
    done_ = query_.begin();
    return done_ && !query_.failed();
  }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    if (!done_) {
      query_.ends_on_error = &h.promise();
      if (query_.wait(h)) return true;
      query_.withdraw();
    }
    h.promise().fail_while_suspended(std::move(*query_.error));
    return true;
  }
  typename Q::Row await_resume() { return query_.take(); }

 private:
  Q& query_;
  bool done_ = false;
};

}  // namespace detail

template <class Collect, std::size_t N>
detail::QueryAwaiter<Query<Collect, N>> operator co_await(Query<Collect, N>&& query) {
  return detail::QueryAwaiter<Query<Collect, N>>(query);
}
template <std::size_t N>
detail::QueryAwaiter<Command<N>> operator co_await(Command<N>&& command) {
  return detail::QueryAwaiter<Command<N>>(command);
}
template <class Collect, std::size_t N>
detail::OkQueryAwaiter<Query<Collect, N>> ok(Query<Collect, N>&& query) {
  return detail::OkQueryAwaiter<Query<Collect, N>>(query);
}
template <std::size_t N>
detail::OkQueryAwaiter<Command<N>> ok(Command<N>&& command) {
  return detail::OkQueryAwaiter<Command<N>>(command);
}

/// Reads, all from one snapshot of the database.
class Reader {
 public:
  explicit Reader(Session& session, const CallContext& context = kNoContext)
      : session_(session), context_(context) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// On whose behalf this runs (CallContext::tenant). On PostgreSQL the driver has told the server, whose
  /// row-level security goes by it: current_setting('bedplate.tenant', true), unset or empty without one.
  const std::optional<Uuid>& tenant() const { return context_.tenant; }
  /// CallContext::user.
  const std::optional<Uuid>& user() const { return context_.user; }
  /// The time by CallContext::clock.
  Time now() const { return context_.clock ? context_.clock->now() : SystemClock().now(); }
  /// The engine that it reads from, for texts that differ between engines.
  Dialect dialect() const { return session_.dialect(); }
  /// What it talks to: for what stands between an operation and its driver (testing/query_guard.h).
  Session& session() const { return session_; }

  /// The first row; none is Category::not_found `row_not_found`. Further rows are not looked at.
  template <class Row, class... Args>
  auto one(const Text& sql, const Args&... args) {
    return Query<detail::One<Row>, arity<Args...>>(session_, type_of<Row>(), sql, args...);
  }
  /// The first row; none is the error given, which lives as long as the program:
  /// `co_await ok(db.one_or<Task>(kTaskNotFound, kFind, owner, id))`.
  template <class Row, class... Args>
  auto one_or(const ErrorCode& not_found, const Text& sql, const Args&... args) {
    return Query<detail::One<Row>, arity<Args...>>(not_found, session_, type_of<Row>(), sql, args...);
  }
  /// The first row, or nothing.
  template <class Row, class... Args>
  auto maybe(const Text& sql, const Args&... args) {
    return Query<detail::Maybe<Row>, arity<Args...>>(session_, type_of<Row>(), sql, args...);
  }
  /// Every row; more than the driver's `rows_max` is Category::too_large `too_many_rows`: say LIMIT.
  template <class Row, class... Args>
  auto all(const Text& sql, const Args&... args) {
    return Query<detail::All<Row>, arity<Args...>>(session_, type_of<Row>(), sql, args...);
  }
  /// The single column of the first row: `co_await ok(db.value<std::int64_t>("SELECT count(*) FROM tasks"))`.
  template <class T, class... Args>
  auto value(const Text& sql, const Args&... args) {
    return Query<detail::One<T>, arity<Args...>>(session_, type_of<T>(), sql, args...);
  }

 protected:
  /// One argument of type Params is the whole list.
  template <class... Args>
  static constexpr std::size_t arity =
      std::disjunction_v<std::is_same<Args, Params>...> ? 0 : sizeof...(Args);

  Session& session_;
  const CallContext& context_;
};

/// Reads and writes that become visible together or not at all. It commits when the function that was given
/// it succeeds, and rolls back when that fails (but see refuse_and_commit()). Await nothing but the
/// transaction in it.
class Transaction : public Reader {
 public:
  explicit Transaction(Session& session, const CallContext& context = kNoContext) : Reader(session, context) {
    if (context.actions) context.actions->clear();  // those of an earlier run of the same command
  }

  /// Does something once this transaction has committed: see after_commit.h.
  void after_commit(std::unique_ptr<CommitAction> action) {
    if (context_.actions) context_.actions->add(std::move(action));
  }

  /// Wakes who waits for this topic, once the transaction has committed: see announcements.h.
  void announce(std::string_view topic) {
    if (context_.actions) context_.actions->announce(topic);
  }

  /// Runs a statement without rows: how many rows it inserted, changed or deleted.
  template <class... Args>
  auto run(const Text& sql, const Args&... args) {
    return Command<arity<Args...>>(session_, sql, args...);
  }
};

}  // namespace bedplate::sql
