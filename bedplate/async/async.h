// SPDX-License-Identifier: Apache-2.0
// Async<T>: a lazy coroutine that ends in a Result<T>.
//
//   Async<Task> Store::find(sql::Reader& db, TaskId id) {
//     TaskRow row = co_await ok(db.one<TaskRow>(kFindTask, id));   // or this coroutine ends with its error
//     Result<Owner> owner = co_await find_owner(db, row.owner);    // or look at the error yourself
//     if (!owner) co_return fail(kNoTask);                         // in an Async<T>
//     if (owner->gone) co_await fail(kNoTask);                     // in any, an Async<void> too
//     co_return Task(row);
//   }
//
// - An Async<void> fails with `co_await fail(...)`: C++ lets a coroutine that may end without a value have no
//   `co_return fail(...)`, and the compiler's message names the promise AsyncVoid_fails_with_co_await_fail.
// - `co_await f();` that looks at no result is a warning (GCC 12's std::expected is not nodiscard, so the await is):
//   write `co_await ok(f())`, or `std::ignore = co_await f()` where the failure does not matter.
// - A child starts where it is awaited, on the same thread, and every wait resumes on the thread that began
//   it. So nothing here is locked, and an Async belongs to one thread from start to end.
// - A child that finishes without waiting never suspends its parent, so loops do not grow the stack.
// - Errors travel as values. An exception that escapes a coroutine is a bug: it is logged, becomes
//   Category::internal, and its text is not shown to clients.
// - Every coroutine carries the Scope that its root was started under (cancel.h).
// - An Async that has started may be destroyed only once it has finished: cancel its scope and await it
//   instead.
// - GCC 12 destroys aggregate temporaries in a co_await expression twice: pass named objects, or types with
//   constructors; one co_await a statement; no capturing lambda is a coroutine.
#pragma once

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>

#include "bedplate/async/cancel.h"
#include "bedplate/async/frame_pool.h"
#include "bedplate/base/result.h"

namespace bedplate {

template <class T = void>
class Async;

namespace detail {

/// For an exception that left a coroutine: logs it, and makes the error that the caller sees.
Error error_of_current_exception();
[[noreturn]] void coroutine_waited_where_it_may_not();

struct PromiseBase {
  std::coroutine_handle<> self{};
  PromiseBase* parent = nullptr;  ///< who awaits this one; null for a root
  Scope* scope = nullptr;
  std::optional<Error> error;
  bool starting = false;  ///< whoever started it is still on the stack below and looks at `finished` itself
  bool finished = false;
  bool fails_parent = false;  ///< awaited through ok(): an error ends the parent too
  bool detached = false;

  static void* operator new(std::size_t size) { return FramePool::allocate(size); }
  static void operator delete(void* frame, std::size_t size) noexcept { FramePool::release(frame, size); }

  std::suspend_always initial_suspend() noexcept { return {}; }
  void unhandled_exception() { error.emplace(error_of_current_exception()); }

  /// `promise` has its result: returns who runs next. A failure climbs through every parent that awaits with
  /// ok().
  static std::coroutine_handle<> finish(PromiseBase* promise) noexcept {
    for (;;) {
      if (promise->detached) {
        promise->self.destroy();
        return std::noop_coroutine();
      }
      promise->finished = true;
      if (promise->starting || !promise->parent) return std::noop_coroutine();
      PromiseBase* parent = promise->parent;
      if (!promise->fails_parent || !promise->error) return parent->self;
      parent->error.emplace(std::move(*promise->error));
      promise = parent;
    }
  }

  /// Ends this coroutine, which is suspended, with `failure`. Nothing of its frame may be touched afterwards.
  void fail_while_suspended(Error&& failure) {
    error.emplace(std::move(failure));
    finish(this).resume();
  }

  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> h) noexcept {
      return finish(&h.promise());
    }
    void await_resume() noexcept {}
  };
  FinalAwaiter final_suspend() noexcept { return {}; }

  /// Starts `child` for this coroutine. True: it has finished already.
  bool start(PromiseBase& child) {
    child.parent = this;
    child.scope = scope;
    child.starting = true;
    child.self.resume();
    child.starting = false;
    return child.finished;
  }
};

template <class T>
struct ValuePromise : PromiseBase {
  std::optional<T> value;

  Async<T> get_return_object();
  /// Whatever converts to the value.
  template <class U = T>
    requires std::convertible_to<U, T> && (!std::same_as<std::remove_cvref_t<U>, Result<T>>)
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  void return_value(std::unexpected<Error> failure) { error.emplace(std::move(failure.error())); }
  void return_value(Result<T> result) {
    if (result)
      value.emplace(std::move(*result));
    else
      error.emplace(std::move(result.error()));
  }
  Result<T> take() {
    if (error) return std::unexpected(std::move(*error));
    return std::move(*value);
  }
};

/// Its name is what the compiler says of a `co_return fail(...)`: a promise cannot have both return_void() and
/// return_value().
// NOLINTNEXTLINE(readability-identifier-naming): its name is a message of the compiler's
struct AsyncVoid_fails_with_co_await_fail : PromiseBase {
  Async<void> get_return_object();
  void return_void() {}
  Result<void> take() {
    if (error) return std::unexpected(std::move(*error));
    return {};
  }
};

template <class T>
using Promise = std::conditional_t<std::is_void_v<T>, AsyncVoid_fails_with_co_await_fail, ValuePromise<T>>;

template <class T>
class ResultAwaiter {
 public:
  explicit ResultAwaiter(std::coroutine_handle<Promise<T>> child) : child_(child) {}

  bool await_ready() noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> parent) {
    return !parent.promise().start(child_.promise());
  }
  /// A reference, because GCC 12 warns of a dropped result only where that is no object with a destructor.
  [[nodiscard, gnu::warn_unused_result]] Result<T>&& await_resume() {
    return std::move(result_.emplace(child_.promise().take()));
  }

 private:
  std::coroutine_handle<Promise<T>> child_;
  std::optional<Result<T>> result_;
};

template <class T>
class [[nodiscard]] OkAwaiter {
 public:
  explicit OkAwaiter(Async<T>&& child) : child_(std::move(child)) {}

  bool await_ready() noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> parent) {
    PromiseBase& promise = child_.handle_.promise();
    promise.fails_parent = true;
    if (!parent.promise().start(promise)) return true;
    if (!promise.error) return false;
    parent.promise().fail_while_suspended(std::move(*promise.error));
    return true;
  }
  T await_resume() {
    if constexpr (!std::is_void_v<T>) return std::move(*child_.handle_.promise().value);
  }

 private:
  Async<T> child_;
};

template <class T>
struct [[nodiscard]] OkResultAwaiter {
  Result<T> result;

  explicit OkResultAwaiter(Result<T>&& r) : result(std::move(r)) {}
  bool await_ready() noexcept { return result.has_value(); }
  template <class P>
  void await_suspend(std::coroutine_handle<P> parent) {
    parent.promise().fail_while_suspended(std::move(result.error()));
  }
  T await_resume() {
    if constexpr (!std::is_void_v<T>) return std::move(*result);
  }
};

/// A leaf operation (cancel.h) awaited through ok().
template <class Leaf>
class [[nodiscard]] OkLeafAwaiter {
 public:
  explicit OkLeafAwaiter(Leaf&& leaf) : leaf_(std::move(leaf)) {}

  bool await_ready() {
    ready_ = leaf_.await_ready();
    return ready_ && !leaf_.error;
  }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> parent) {
    if (!ready_) {
      leaf_.ends_on_error = &parent.promise();
      if (leaf_.await_suspend(parent)) return true;
      if (!leaf_.error) return false;
    }
    parent.promise().fail_while_suspended(std::move(*leaf_.error));
    return true;
  }
  typename Leaf::Value await_resume() {
    if constexpr (std::is_void_v<typename Leaf::Value>)
      static_cast<void>(leaf_.await_resume());
    else
      return *leaf_.await_resume();
  }

 private:
  Leaf leaf_;
  bool ready_ = false;
};

}  // namespace detail

template <class T>
class [[nodiscard]] Async {
 public:
  using promise_type = detail::Promise<T>;

  Async(Async&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Async(const Async&) = delete;
  Async& operator=(Async&&) = delete;
  ~Async() {
    if (handle_) handle_.destroy();
  }

  detail::ResultAwaiter<T> operator co_await() && noexcept { return detail::ResultAwaiter<T>(handle_); }

  /// Starts it with nobody waiting; the frame frees itself at the end. A failure is dropped: such a coroutine
  /// handles its own. `scope` outlives it.
  void detach(Scope* scope = nullptr) && {
    auto handle = std::exchange(handle_, {});
    handle.promise().detached = true;
    handle.promise().scope = scope;
    handle.resume();
  }

  /// Runs a coroutine that never waits: a command on a database's own thread, a test. Aborts if it does wait.
  Result<T> run_without_waiting(Scope* scope = nullptr) && {
    auto& promise = handle_.promise();
    promise.scope = scope;
    promise.starting = true;
    handle_.resume();
    if (!promise.finished) detail::coroutine_waited_where_it_may_not();
    return promise.take();
  }

  /// Runs it as far as it goes without waiting. Nothing: it waits, and is dropped where it stands, with
  /// everything that it awaits. Only where whoever made it wait knows of this and never resumes it (a read
  /// that is to start again elsewhere); it runs without a scope, so no wait is left registered.
  std::optional<Result<T>> run_unless_waiting() && {
    auto& promise = handle_.promise();
    promise.starting = true;
    handle_.resume();
    if (promise.finished) return promise.take();
    std::exchange(handle_, {}).destroy();
    return std::nullopt;
  }

 private:
  friend promise_type;
  template <class U>
  friend class detail::OkAwaiter;
  explicit Async(std::coroutine_handle<promise_type> handle) : handle_(handle) {
    handle.promise().self = handle;
  }

  std::coroutine_handle<promise_type> handle_;
};

template <class T>
Async<T> detail::ValuePromise<T>::get_return_object() {
  return Async<T>(std::coroutine_handle<ValuePromise>::from_promise(*this));
}
inline Async<void> detail::AsyncVoid_fails_with_co_await_fail::get_return_object() {
  return Async<void>(std::coroutine_handle<AsyncVoid_fails_with_co_await_fail>::from_promise(*this));
}

/// `T value = co_await ok(f());` takes the value, or ends the calling coroutine with f's error.
template <class T>
detail::OkAwaiter<T> ok(Async<T>&& child) {
  return detail::OkAwaiter<T>(std::move(child));
}
/// The same for a result that is already there.
template <class T>
detail::OkResultAwaiter<T> ok(Result<T>&& result) {
  return detail::OkResultAwaiter<T>(std::move(result));
}
/// The same for an operation that waits: a read, a sleep, a pool's run.
template <class Leaf>
  requires std::derived_from<Leaf, Op>
// An lvalue does not derive from Op, so this is no forwarding reference.
detail::OkLeafAwaiter<Leaf> ok(Leaf&& leaf) {
  return detail::OkLeafAwaiter<Leaf>(std::move(leaf));  // NOLINT(bugprone-move-forwarding-reference)
}
/// `co_await fail(...)` ends the calling coroutine with that error.
inline detail::OkResultAwaiter<void> operator co_await(std::unexpected<Error>&& failure) {
  return detail::OkResultAwaiter<void>(Result<void>(std::unexpect, std::move(failure.error())));
}

}  // namespace bedplate
