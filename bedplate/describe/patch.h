// SPDX-License-Identifier: Apache-2.0
// Patch<T>: a field of a partial update. It tells "not given" from "given as null" from "given as a value",
// which JSON Merge Patch (RFC 7396) needs and std::optional cannot.
//
//   struct PatchTask { Patch<std::string> title; Patch<Time> due_at; };
//
//   void apply(const PatchTask& patch, Task& task) {
//     patch.title.apply_to(task.title);      // changes it when a value was given
//     patch.due_at.apply_to(task.due_at);    // std::optional<Time>: null clears it
//   }
//
// Null is refused with `null_not_allowed` unless the field carries the rule `nullable`.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace bedplate {

enum class PatchState : std::uint8_t { absent, null, value };

template <class T>
class Patch {
 public:
  using value_type = T;

  /// Absent.
  Patch() = default;
  /// Null.
  Patch(std::nullptr_t) : state_(PatchState::null) {}
  /// A value.
  Patch(T value) : state_(PatchState::value), value_(std::move(value)) {}

  PatchState state() const { return state_; }
  bool is_absent() const { return state_ == PatchState::absent; }
  bool is_null() const { return state_ == PatchState::null; }
  bool has_value() const { return state_ == PatchState::value; }
  explicit operator bool() const { return has_value(); }

  /// The value; there must be one.
  const T& operator*() const {
    assert(has_value());
    return value_;
  }
  const T* operator->() const {
    assert(has_value());
    return &value_;
  }

  /// Makes it a value and returns it, default-constructed.
  T& emplace() {
    value_ = T();
    state_ = PatchState::value;
    return value_;
  }
  void set_null() {
    value_ = T();
    state_ = PatchState::null;
  }
  void set_absent() {
    value_ = T();
    state_ = PatchState::absent;
  }

  /// Sets `target` when a value was given. Null and absent leave it (a field that may not be null never holds
  /// one).
  void apply_to(T& target) const {
    if (has_value()) target = value_;
  }
  /// Sets `target` when a value was given, clears it when null was.
  void apply_to(std::optional<T>& target) const {
    if (has_value()) target = value_;
    if (is_null()) target.reset();
  }

  bool operator==(const Patch&) const = default;

 private:
  PatchState state_ = PatchState::absent;
  T value_{};
};

}  // namespace bedplate
