// SPDX-License-Identifier: Apache-2.0
// Reads an operation's signature: what api.h needs to know about a member function, and the functions through which
// it is called with its types forgotten. Private header of api.h.
#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>
#include <utility>

#include "bedplate/operations/input.h"
#include "bedplate/operations/operation.h"
#include "bedplate/operations/paging/page.h"
#include "bedplate/operations/parameters.h"

namespace bedplate::api::detail {

template <class... T>
struct List {};

template <class F>
struct MemberFunction {
  static constexpr bool kOk = false;
};
template <class C, class R, class... A>
struct MemberFunction<R (C::*)(A...)> {
  static constexpr bool kOk = true;
  using Class = C;
  using Return = R;
  using Parameters = List<A...>;
};
template <class C, class R, class... A>
struct MemberFunction<R (C::*)(A...) const> : MemberFunction<R (C::*)(A...)> {};

// ---- what it returns

template <class R>
struct Answer {
  static constexpr bool kOk = false;
};
template <class T>
struct Answer<Async<T>> {
  static constexpr bool kOk = true;
  static constexpr bool kWaits = true;
  using Output = T;
};
template <class T>
struct Answer<Result<T>> {
  static constexpr bool kOk = true;
  static constexpr bool kWaits = false;
  using Output = T;
};

// ---- what it takes: a set of Parameter types, and at most one input

struct Nothing {};

template <class P>
inline constexpr bool kIsInput =
    std::is_lvalue_reference_v<P> && std::is_const_v<std::remove_reference_t<P>> &&
    std::is_class_v<std::remove_cvref_t<P>> && !Parameter<P>::kKnown &&
    !Parameter<std::remove_cvref_t<P>&>::kKnown;

template <class P>
concept DecidesKind = requires { Parameter<P>::kKind; };

template <class P>
concept ComesAsExtra = requires(const Arguments& arguments) { Parameter<P>::is_given(arguments); };

template <class P, class... All>
inline constexpr int kTimes = (0 + ... + int{std::same_as<P, All>});

/// The first type of those for which the condition holds; Nothing when there is none.
template <class... All>
struct FirstInput {
  using type = Nothing;
};
template <class First, class... Rest>
struct FirstInput<First, Rest...>
    : std::conditional_t<kIsInput<First>, std::type_identity<std::remove_cvref_t<First>>,
                         FirstInput<Rest...>> {};

template <class P>
constexpr OperationKind kind_of_parameter() {
  if constexpr (DecidesKind<P>) return Parameter<P>::kKind;
  return OperationKind::pure;
}

template <class Parameters>
struct Taken;
template <class... P>
struct Taken<List<P...>> {
  static constexpr bool kAllKnown = ((Parameter<P>::kKnown || kIsInput<P>) && ...);
  static constexpr bool kNoneTwice = ((kTimes<P, P...> == 1) && ...);
  static constexpr int kInputs = (0 + ... + int{kIsInput<P>});
  static constexpr int kData = (0 + ... + int{DecidesKind<P>});
  static constexpr int kExtras = (0 + ... + int{ComesAsExtra<P>});
  using Input = typename FirstInput<P...>::type;

  static constexpr OperationKind kind() {
    OperationKind kind = OperationKind::pure;
    ((kind = DecidesKind<P> ? kind_of_parameter<P>() : kind), ...);
    return kind;
  }
  /// Whether all that come as Extra are there.
  static bool are_given(const Arguments& arguments) { return (is_given<P>(arguments) && ...); }

 private:
  template <class One>
  static bool is_given(const Arguments& arguments) {
    if constexpr (ComesAsExtra<One>)
      return Parameter<One>::is_given(arguments);
    else
      return true;
  }
};

/// Everything about the member function, or one sentence about what is wrong with it.
template <auto Member>
struct SignatureOf {
  using Function = MemberFunction<decltype(Member)>;
  static_assert(Function::kOk,
                "an operation is a member function, named like command<&Tasks::create>; it has no "
                "overloads and is not noexcept");
  using Class = typename Function::Class;
  using Answered = Answer<typename Function::Return>;
  static_assert(Answered::kOk, "an operation returns Async<Out>; a pure one may return Result<Out>");
  using Output = typename Answered::Output;
  using Parsed = Taken<typename Function::Parameters>;
  static_assert(
      Parsed::kAllKnown && Parsed::kInputs <= 1,
      "an operation takes its input as const In&, and beside it only what bedplate/operations/parameters.h "
      "names: const Caller&, and one of sql::Reader&, sql::Transaction& or sql::Database&");
  static_assert(Parsed::kNoneTwice && Parsed::kData <= 1,
                "an operation takes each parameter once, and one of sql::Reader&, sql::Transaction& and "
                "sql::Database& at most");
  using Input = typename Parsed::Input;
  static constexpr bool kHasInput = !std::same_as<Input, Nothing>;
  static constexpr bool kHasOutput = !std::is_void_v<Output>;
  static constexpr OperationKind kKind = Parsed::kind();
  static constexpr bool kWaits = Answered::kWaits;
  static_assert(kWaits || kKind == OperationKind::pure,
                "an operation that uses the database is a coroutine: it returns Async<Out>");
};

template <class P>
decltype(auto) argument(const Arguments& arguments) {
  if constexpr (Parameter<P>::kKnown)
    return Parameter<P>::from(arguments);
  else
    return *static_cast<const std::remove_cvref_t<P>*>(arguments.input);
}

/// Calls the member function with what it takes.
template <auto Member, class... P>
auto call_with(void* object, const Arguments& arguments, List<P...>) {
  auto& self = *static_cast<typename SignatureOf<Member>::Class*>(object);
  (void)arguments;
  return (self.*Member)(argument<P>(arguments)...);
}
template <auto Member>
auto call(void* object, const Arguments& arguments) {
  return call_with<Member>(object, arguments, typename SignatureOf<Member>::Function::Parameters{});
}

/// Awaits the operation and moves its output into `output`.
template <class Out>
Async<void> deliver(Async<Out> running, void* output) {
  Out value = co_await ok(std::move(running));
  *static_cast<Out*>(output) = std::move(value);
}

template <auto Member>
Async<void> invoke(void* object, const Arguments& arguments) {
  if constexpr (SignatureOf<Member>::kHasOutput)
    return deliver(call<Member>(object, arguments), arguments.output);
  else
    return call<Member>(object, arguments);
}

template <auto Member>
Result<void> invoke_now(void* object, const Arguments& arguments) {
  using Out = typename SignatureOf<Member>::Output;
  auto result = call<Member>(object, arguments);
  if (!result) return std::unexpected(std::move(result.error()));
  if constexpr (!std::is_void_v<Out>) *static_cast<Out*>(arguments.output) = std::move(*result);
  return {};
}

template <auto Member>
void fill_operation(Operation& operation) {
  using S = SignatureOf<Member>;
  operation.kind = S::kKind;
  operation.object_type = &kTypeTag<typename S::Class>;
  if constexpr (S::kHasInput) operation.input = &type_of<typename S::Input>();
  if constexpr (std::derived_from<typename S::Input, PageQuery>)
    operation.page_query = [](const void* input) -> const PageQuery& {
      return *static_cast<const typename S::Input*>(input);
    };
  if constexpr (CarriesIfMatch<typename S::Input> &&
                (S::kKind == OperationKind::command || S::kKind == OperationKind::procedure))
    operation.set_if_match = [](void* input, IfMatch&& condition) {
      static_cast<typename S::Input*>(input)->if_match = std::move(condition);
    };
  if constexpr (S::kHasOutput) operation.output = &type_of<typename S::Output>();
  if constexpr (S::kHasOutput && kIsPage<typename S::Output>)
    operation.page_parts = &parts_of<typename S::Output>;
  if constexpr (S::Parsed::kExtras > 0) operation.are_given = &S::Parsed::are_given;
  if constexpr (S::kWaits)
    operation.invoke = &invoke<Member>;
  else
    operation.invoke_now = &invoke_now<Member>;
}

/// "create" of &Tasks::create.
template <auto Member>
consteval std::string_view member_name() {
  std::string_view name =
      __PRETTY_FUNCTION__;  // "... [with auto Member = &ns::Tasks::create; ...]" or "[Member = ...]"
  name = name.substr(name.find("Member = ") + 9);
  constexpr std::string_view kAnonymous = "(anonymous namespace)";  // clang's words; GCC's have no "("
  if (std::size_t at = name.rfind(kAnonymous); at != name.npos) name = name.substr(at + kAnonymous.size());
  name = name.substr(0, name.find_first_of(";]("));
  return name.substr(name.rfind(':') + 1);
}

template <class Option, class S>
constexpr bool fits_types_fn() {
  if constexpr (requires { typename Option::OutputType; })
    return S::kHasOutput && std::is_base_of_v<typename Option::OutputType, typename S::Output>;
  else if constexpr (requires { typename Option::InputType; })
    return S::kHasInput && std::is_base_of_v<typename Option::InputType, typename S::Input>;
  else
    return true;
}
template <class Option, class S>
inline constexpr bool fits_types = fits_types_fn<Option, S>();

}  // namespace bedplate::api::detail
