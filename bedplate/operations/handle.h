// SPDX-License-Identifier: Apache-2.0
// OperationHandle: an operation as others call it: its name and its types, without the class behind it. It stands in a
// module's api.h:
//
//   inline constexpr api::OperationHandle<api::New<Task>, Task> kCreate{"tasks.create"};
//
//   Task task = co_await ok(executor.call(tasks::kCreate, caller, input));     // another module (execution/executor.h)
//
// `void` stands for an operation that takes, or answers, nothing. Whether an operation of that name has those types is
// checked where the operation is declared with the handle (by the compiler), and at the call (executor.h).
#pragma once

#include <string_view>
#include <type_traits>

namespace bedplate::api {

template <class In, class Out>
struct OperationHandle {
  using Input = In;
  using Output = Out;
  /// "tasks.create"
  std::string_view name;
};

namespace detail {

template <class Name>
inline constexpr bool kIsHandle = false;
template <class In, class Out>
inline constexpr bool kIsHandle<OperationHandle<In, Out>> = true;

/// The part behind the module's name: of a handle, or of a text that is that part.
template <class S, class Name>
constexpr std::string_view operation_name(const Name& name) {
  if constexpr (kIsHandle<Name>) {
    using Input = std::conditional_t<S::kHasInput, typename S::Input, void>;
    static_assert(std::is_same_v<typename Name::Input, Input> &&
                      std::is_same_v<typename Name::Output, typename S::Output>,
                  "the handle names other types than the member function takes and answers");
    return name.name.substr(name.name.find('.') + 1);
  } else {
    static_assert(std::is_convertible_v<const Name&, std::string_view>,
                  "an operation's name comes first: .command<&Tasks::create>(\"create\", ...)");
    return name;
  }
}

template <class T, class First, class... Rest>
  requires std::is_base_of_v<T, First>
T& first_as(First& first, Rest&...) {
  return first;
}

}  // namespace detail

}  // namespace bedplate::api
