// SPDX-License-Identifier: Apache-2.0
// gather() and when_any(): several coroutines at once on one loop, and one that waits for them.
//
//   auto [user, count] = co_await ok(gather(find_user(id), count_tasks(id)));   // both run; their values
//   std::vector<Row> rows = co_await ok(gather(std::move(reads), 16));          // of a vector, 16 at a time
//   auto [a, b] = co_await ok(gather_results(ask(one), ask(two)));              // each as a Result, whatever fails
//   First<Answer> first = co_await ok(when_any(ask(one), ask(two)));            // the first to end cancels the other
//
// - gather(): the first failure cancels the others and is the error. gather_results() lets all of them end.
// - Structured: the answer is there when every child has ended, cancelled ones included. So children may refer to what
//   the waiting coroutine owns.
// - Each child runs under a child scope (cancel.h) of the waiting coroutine: cancelling that one cancels all children,
//   and its deadline is theirs.
// - The value of an Async<void> is std::monostate in a tuple; a vector of them gives Async<void>.
// - Two statements at once on one SQL session are a bug, which debug builds assert: children read from sessions of
//   their own, as with db.read().
// - Nothing is allocated beyond the coroutine frames (one more for each child) and the vectors that are returned.
// - Children that end without waiting need no loop.
//
// Everything runs on the waiting coroutine's thread.
#pragma once

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <limits>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/async/cancel.h"

namespace bedplate {

/// What when_any() gives: which child ended first, and its value.
template <class T>
struct First {
  std::size_t index = 0;
  T value;
};

namespace detail {

template <class T>
using Gathered = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
template <class T>
using Slot = std::optional<Result<T>>;

/// Counts the children that run. The waiting coroutine awaits it, in whose frame it lives.
class GatherOp : public Op {
 public:
  using Value = void;
  enum class Until : std::uint8_t {
    failure,  ///< the first failure cancels the others
    end,      ///< the first end does
    all       ///< nothing does
  };

  GatherOp(Scope* parent, Until until) : group_(parent), until_(until) {}

  bool await_ready() const { return running_ == 0; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> coroutine) {
    waiter = coroutine;  // without wait(): cancelling reaches the children, which end first
  }
  void await_resume() const {}

  Scope& group() { return group_; }
  /// The child that ended first, or failed first; nothing: none did.
  std::optional<std::size_t> first() const { return first_; }

  void began() { ++running_; }
  void settled(std::size_t index, bool failed);
  void ended();

 private:
  Scope group_;
  const Until until_;
  std::size_t running_ = 0;
  std::optional<std::size_t> first_;
};

/// `co_await CurrentScope()`: the scope that the coroutine runs under, or null.
class CurrentScope {
 public:
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> coroutine) noexcept {
    scope_ = coroutine.promise().scope;
    return false;
  }
  Scope* await_resume() const noexcept { return scope_; }

 private:
  Scope* scope_ = nullptr;
};

/// `co_await EnterScope(own)`: what the coroutine awaits from here on runs under `own`.
class EnterScope {
 public:
  explicit EnterScope(Scope& own) : own_(own) {}
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> coroutine) noexcept {
    coroutine.promise().scope = &own_;
    return false;
  }
  void await_resume() const noexcept {}

 private:
  Scope& own_;
};

template <class T>
Async<void> gather_one(Async<T> child, GatherOp& all, Slot<T>& slot, std::size_t index) {
  all.began();
  Scope own(&all.group());
  co_await EnterScope(own);
  if (own.cancelled())
    slot.emplace(std::unexpect, own.error());
  else
    slot.emplace(co_await std::move(child));
  all.settled(index, !slot->has_value());
  all.ended();
}

/// Runs children of a list, one after another, until none is left: as many of these run as children at once.
template <class T>
Async<void> gather_some(std::vector<Async<T>>& children, GatherOp& all, std::vector<Slot<T>>& slots,
                        std::size_t& next) {
  all.began();
  Scope own(&all.group());
  co_await EnterScope(own);
  while (!own.cancelled() && next < children.size()) {
    const std::size_t index = next++;
    slots[index].emplace(co_await std::move(children[index]));
    all.settled(index, !slots[index]->has_value());
  }
  all.ended();
}

template <std::size_t... I, class... T>
void start_all(std::index_sequence<I...>, GatherOp& all, std::tuple<Slot<T>...>& slots,
               Async<T>&... children) {
  (gather_one<T>(std::move(children), all, std::get<I>(slots), I).detach(nullptr), ...);
}

template <class T>
void start_list(std::vector<Async<T>>& children, GatherOp& all, std::vector<Slot<T>>& slots,
                std::size_t& next, std::size_t at_once_max) {
  slots.resize(children.size());
  const std::size_t workers = std::min(children.size(), std::max<std::size_t>(1, at_once_max));
  for (std::size_t i = 0; i < workers; ++i) gather_some(children, all, slots, next).detach(nullptr);
}

template <class T>
Gathered<T> take_value(Slot<T>& slot) {
  if constexpr (std::is_void_v<T>)
    return {};
  else
    return std::move(**slot);
}

template <std::size_t... I, class... T>
std::tuple<Gathered<T>...> take_values(std::index_sequence<I...>, std::tuple<Slot<T>...>& slots) {
  return {take_value<T>(std::get<I>(slots))...};
}

template <std::size_t... I, class... T>
Error take_error(std::index_sequence<I...>, std::tuple<Slot<T>...>& slots, std::size_t index) {
  std::optional<Error> error;
  ((I == index ? void(error.emplace(std::move(std::get<I>(slots)->error()))) : void()), ...);
  return std::move(*error);
}

inline constexpr std::size_t kAllAtOnce = std::numeric_limits<std::size_t>::max();

}  // namespace detail

/// Runs the children at once. Their values, or the error of the first that failed.
template <class... T>
  requires(sizeof...(T) > 0)
Async<std::tuple<detail::Gathered<T>...>> gather(Async<T>... children) {
  Scope* const parent = co_await detail::CurrentScope();
  detail::GatherOp all(parent, detail::GatherOp::Until::failure);
  std::tuple<detail::Slot<T>...> slots;
  detail::start_all(std::index_sequence_for<T...>(), all, slots, children...);
  co_await all;
  if (all.first())
    co_return std::unexpected(detail::take_error(std::index_sequence_for<T...>(), slots, *all.first()));
  co_return detail::take_values(std::index_sequence_for<T...>(), slots);
}

/// The same of a vector, `at_once_max` at a time, in its order. After a failure no further child begins.
template <class T>
  requires(!std::is_void_v<T>)
Async<std::vector<T>> gather(std::vector<Async<T>> children, std::size_t at_once_max = detail::kAllAtOnce) {
  Scope* const parent = co_await detail::CurrentScope();
  detail::GatherOp all(parent, detail::GatherOp::Until::failure);
  std::vector<detail::Slot<T>> slots;
  std::size_t next = 0;
  detail::start_list(children, all, slots, next, at_once_max);
  co_await all;
  if (all.first()) co_return std::unexpected(std::move(slots[*all.first()]->error()));
  if (next < children.size()) co_return std::unexpected(all.group().error());
  std::vector<T> values;
  values.reserve(slots.size());
  for (detail::Slot<T>& slot : slots) values.push_back(std::move(**slot));
  co_return std::move(values);
}
inline Async<void> gather(std::vector<Async<void>> children, std::size_t at_once_max = detail::kAllAtOnce) {
  Scope* const parent = co_await detail::CurrentScope();
  detail::GatherOp all(parent, detail::GatherOp::Until::failure);
  std::vector<detail::Slot<void>> slots;
  std::size_t next = 0;
  detail::start_list(children, all, slots, next, at_once_max);
  co_await all;
  if (all.first()) co_await std::unexpected(std::move(slots[*all.first()]->error()));
  if (next < children.size()) co_await std::unexpected(all.group().error());
}

/// Runs the children at once and lets all of them end, whatever fails. Fails never.
template <class... T>
  requires(sizeof...(T) > 0)
Async<std::tuple<Result<T>...>> gather_results(Async<T>... children) {
  Scope* const parent = co_await detail::CurrentScope();
  detail::GatherOp all(parent, detail::GatherOp::Until::all);
  std::tuple<detail::Slot<T>...> slots;
  detail::start_all(std::index_sequence_for<T...>(), all, slots, children...);
  co_await all;
  co_return std::apply([](auto&... slot) { return std::tuple<Result<T>...>(std::move(*slot)...); }, slots);
}
/// The same of a vector. Children that had not begun when the scope was cancelled have its error.
template <class T>
Async<std::vector<Result<T>>> gather_results(std::vector<Async<T>> children,
                                             std::size_t at_once_max = detail::kAllAtOnce) {
  Scope* const parent = co_await detail::CurrentScope();
  detail::GatherOp all(parent, detail::GatherOp::Until::all);
  std::vector<detail::Slot<T>> slots;
  std::size_t next = 0;
  detail::start_list(children, all, slots, next, at_once_max);
  co_await all;
  std::vector<Result<T>> results;
  results.reserve(slots.size());
  for (detail::Slot<T>& slot : slots) {
    if (slot)
      results.push_back(std::move(*slot));
    else
      results.push_back(std::unexpected(all.group().error()));
  }
  co_return std::move(results);
}

/// Runs the children, at least one, at once until one ends: its value or its error. The others are cancelled.
template <class T>
  requires(!std::is_void_v<T>)
Async<First<T>> when_any(std::vector<Async<T>> children) {
  Scope* const parent = co_await detail::CurrentScope();
  detail::GatherOp all(parent, detail::GatherOp::Until::end);
  std::vector<detail::Slot<T>> slots;
  std::size_t next = 0;
  detail::start_list(children, all, slots, next, detail::kAllAtOnce);
  co_await all;
  if (!all.first()) co_return std::unexpected(all.group().error());
  detail::Slot<T>& slot = slots[*all.first()];
  if (!*slot) co_return std::unexpected(std::move(slot->error()));
  co_return First<T>{*all.first(), std::move(**slot)};
}
template <class T, class... Others>
  requires(!std::is_void_v<T> && (std::is_same_v<T, Others> && ...))
Async<First<T>> when_any(Async<T> child, Async<Others>... others) {
  std::vector<Async<T>> children;
  children.reserve(1 + sizeof...(others));
  children.push_back(std::move(child));
  (children.push_back(std::move(others)), ...);
  return when_any(std::move(children));
}

}  // namespace bedplate
