// SPDX-License-Identifier: Apache-2.0
// Reads an operation's signature: what api.h needs to know about a member function, and the two thunks through
// which a surface calls it. Included by api.h; services need not look here.
#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>
#include <utility>

#include "bedplate/operations/input.h"
#include "bedplate/operations/operation.h"
#include "bedplate/operations/paging/page.h"

namespace bedplate::sql {
class Reader;
class Transaction;
class Database;
}  // namespace bedplate::sql

namespace bedplate::api::detail {

template <class... T>
struct List {
  static constexpr std::size_t kSize = sizeof...(T);
};

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

// ---- what it takes: [const Caller&] [data] [const Input&]

template <class P>
inline constexpr bool kIsCaller = std::same_as<P, const Caller&>;
template <class P>
inline constexpr bool kIsData =
    std::same_as<P, sql::Reader&> || std::same_as<P, sql::Transaction&> || std::same_as<P, sql::Database&>;
template <class P>
inline constexpr bool kIsInput =
    std::is_lvalue_reference_v<P> && std::is_const_v<std::remove_reference_t<P>> &&
    std::is_class_v<std::remove_cvref_t<P>> && !kIsCaller<P> && !kIsData<const P>;

struct Nothing {};

template <class Caller_, class Data_, class Input_>
struct Taken {
  static constexpr bool kOk = true;
  static constexpr bool kCaller = !std::same_as<Caller_, Nothing>;
  using Data = Data_;
  using Input = Input_;
};
struct NotTaken {
  static constexpr bool kOk = false;
};

template <class Parameters>
struct Parse : NotTaken {};
template <>
struct Parse<List<>> : Taken<Nothing, Nothing, Nothing> {};
template <class A>
struct Parse<List<A>>
    : std::conditional_t<
          kIsCaller<A>, Taken<A, Nothing, Nothing>,
          std::conditional_t<kIsData<A>, Taken<Nothing, A, Nothing>,
                             std::conditional_t<kIsInput<A>, Taken<Nothing, Nothing, A>, NotTaken>>> {};
template <class A, class B>
struct Parse<List<A, B>>
    : std::conditional_t<
          kIsCaller<A> && kIsData<B>, Taken<A, B, Nothing>,
          std::conditional_t<kIsCaller<A> && kIsInput<B>, Taken<A, Nothing, B>,
                             std::conditional_t<kIsData<A> && kIsInput<B>, Taken<Nothing, A, B>, NotTaken>>> {
};
template <class A, class B, class C>
struct Parse<List<A, B, C>>
    : std::conditional_t<kIsCaller<A> && kIsData<B> && kIsInput<C>, Taken<A, B, C>, NotTaken> {};

template <class Data>
constexpr OperationKind kind_of() {
  if constexpr (std::same_as<Data, sql::Reader&>)
    return OperationKind::query;
  else if constexpr (std::same_as<Data, sql::Transaction&>)
    return OperationKind::command;
  else if constexpr (std::same_as<Data, sql::Database&>)
    return OperationKind::procedure;
  else
    return OperationKind::pure;
}

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
  using Parsed = Parse<typename Function::Parameters>;
  static_assert(
      Parsed::kOk,
      "an operation takes, in this order and each only if wanted: const Caller&, one of sql::Reader&, "
      "sql::Transaction& or sql::Database&, and its input as const In&");
  using Data = typename Parsed::Data;
  using Input = std::remove_cvref_t<typename Parsed::Input>;
  static constexpr bool kHasInput = !std::same_as<Input, Nothing>;
  static constexpr bool kHasOutput = !std::is_void_v<Output>;
  static constexpr OperationKind kKind = kind_of<Data>();
  static constexpr bool kWaits = Answered::kWaits;
  static_assert(kWaits || kKind == OperationKind::pure,
                "an operation that uses the database is a coroutine: it returns Async<Out>");
};

/// Calls the member function with those of (caller, data, input) that it takes.
template <auto Member>
auto call(void* object, const Caller& caller, void* data, const void* input) {
  using S = SignatureOf<Member>;
  auto& self = *static_cast<typename S::Class*>(object);
  using DataType = std::remove_reference_t<typename S::Data>;
  auto* typed_data = static_cast<DataType*>(data);
  auto* typed_input = static_cast<const typename S::Input*>(input);
  constexpr bool kTakesData = S::kKind != OperationKind::pure;
  (void)caller, (void)typed_data, (void)typed_input;
  if constexpr (S::Parsed::kCaller && kTakesData && S::kHasInput)
    return (self.*Member)(caller, *typed_data, *typed_input);
  else if constexpr (S::Parsed::kCaller && kTakesData)
    return (self.*Member)(caller, *typed_data);
  else if constexpr (S::Parsed::kCaller && S::kHasInput)
    return (self.*Member)(caller, *typed_input);
  else if constexpr (kTakesData && S::kHasInput)
    return (self.*Member)(*typed_data, *typed_input);
  else if constexpr (S::Parsed::kCaller)
    return (self.*Member)(caller);
  else if constexpr (kTakesData)
    return (self.*Member)(*typed_data);
  else if constexpr (S::kHasInput)
    return (self.*Member)(*typed_input);
  else
    return (self.*Member)();
}

/// Awaits the operation and moves its output into `output`.
template <class Out>
Async<void> deliver(Async<Out> running, void* output) {
  Out value = co_await ok(std::move(running));
  *static_cast<Out*>(output) = std::move(value);
}

template <auto Member>
Async<void> invoke(void* object, const Caller& caller, void* data, const void* input, void* output) {
  if constexpr (SignatureOf<Member>::kHasOutput)
    return deliver(call<Member>(object, caller, data, input), output);
  else
    return call<Member>(object, caller, data, input);
}

template <auto Member>
Result<void> invoke_now(void* object, const Caller& caller, const void* input, void* output) {
  using Out = typename SignatureOf<Member>::Output;
  auto result = call<Member>(object, caller, nullptr, input);
  if (!result) return std::unexpected(std::move(result.error()));
  if constexpr (!std::is_void_v<Out>) *static_cast<Out*>(output) = std::move(*result);
  return {};
}

template <auto Member>
void fill_operation(Operation& operation, typename SignatureOf<Member>::Class& object) {
  using S = SignatureOf<Member>;
  operation.kind = S::kKind;
  operation.object = &object;
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
  if constexpr (S::kHasOutput)
    operation.output = &type_of<typename S::Output>();
  else
    operation.status = 204;
  if constexpr (S::kHasOutput && kIsPage<typename S::Output>)
    operation.page_parts = &parts_of<typename S::Output>;
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
