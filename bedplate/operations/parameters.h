// SPDX-License-Identifier: Apache-2.0
// What an operation's member function may ask for beside its input: a set of parameter types that can grow.
//
//   const Caller&        who calls
//   sql::Reader&         a snapshot: the operation is a query
//   sql::Transaction&    a transaction: the operation is a command
//   sql::Database&       the database: the operation is a procedure
//
// They stand in any order, each at most once. Another part of the program adds one by a specialisation, and hands its
// value over with the call:
//
//   template <>
//   struct api::Parameter<Progress&> : api::ExtraParameter<Progress> {};
//
//   Progress progress;
//   arguments.extra = api::Extra(progress);                  // the executor passes on what Call::extra holds
//
// An operation that asks for one that its caller does not hand over is not run: Executor answers
// Category::internal `parameter_missing`.
#pragma once

#include <cstdint>
#include <string_view>

#include "bedplate/auth/caller.h"

namespace bedplate::sql {
class Reader;
class Transaction;
class Database;
}  // namespace bedplate::sql

namespace bedplate::api {

using auth::Caller;

/// What the data parameter makes of an operation: where it runs, and how often.
enum class OperationKind : std::uint8_t {
  pure,       ///< needs no data; runs on the loop
  query,      ///< reads, in one snapshot
  command,    ///< writes; one transaction; may run more than once
  procedure,  ///< opens short transactions of its own, because it also waits for something else
};
/// "query"
std::string_view kind_name(OperationKind kind);

namespace detail {
/// One address a type, to tell types apart without RTTI.
template <class T>
inline constexpr char kTypeTag = 0;
}  // namespace detail

/// Values for parameters that are not of the framework's own, as a list in the caller's frames.
struct Extra {
  template <class T>
  explicit Extra(T& object, const Extra* following = nullptr)
      : tag(&detail::kTypeTag<T>), value(&object), next(following) {}
  const char* tag;
  void* value;
  const Extra* next;
};

/// Everything that a call hands to an operation. Borrowed: all of it outlives the call.
struct Arguments {
  explicit Arguments(const Caller& who) : caller(who) {}

  const Caller& caller;
  void* data = nullptr;         ///< the sql::Reader, sql::Transaction or sql::Database that the kind asks for
  const void* input = nullptr;  ///< of the input type
  void* output = nullptr;       ///< a default-constructed value of the output type
  const Extra* extra = nullptr;

  template <class T>
  T* find_extra() const {
    for (const Extra* one = extra; one; one = one->next)
      if (one->tag == &detail::kTypeTag<T>) return static_cast<T*>(one->value);
    return nullptr;
  }
};

/// Specialised for each parameter type. `from()` gives its value; kKind stands where it decides the operation's kind.
template <class P>
struct Parameter {
  static constexpr bool kKnown = false;
};

/// Base of a specialisation for a type whose values come as Extra.
template <class T>
struct ExtraParameter {
  static constexpr bool kKnown = true;
  static T& from(const Arguments& arguments) { return *arguments.find_extra<T>(); }
  static bool is_given(const Arguments& arguments) { return arguments.find_extra<T>() != nullptr; }
};

template <>
struct Parameter<const Caller&> {
  static constexpr bool kKnown = true;
  static const Caller& from(const Arguments& arguments) { return arguments.caller; }
};

namespace detail {
template <class T, OperationKind kOperationKind>
struct DataParameter {
  static constexpr bool kKnown = true;
  static constexpr OperationKind kKind = kOperationKind;
  static T& from(const Arguments& arguments) { return *static_cast<T*>(arguments.data); }
};
}  // namespace detail

template <>
struct Parameter<sql::Reader&> : detail::DataParameter<sql::Reader, OperationKind::query> {};
template <>
struct Parameter<sql::Transaction&> : detail::DataParameter<sql::Transaction, OperationKind::command> {};
template <>
struct Parameter<sql::Database&> : detail::DataParameter<sql::Database, OperationKind::procedure> {};

}  // namespace bedplate::api
