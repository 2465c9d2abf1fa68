// SPDX-License-Identifier: Apache-2.0
// Api: the one place that says how the outside reaches a service.
//
//   Api tasks_api(Tasks& tasks) {
//     using namespace bedplate::api;
//     return Api("tasks", "Tasks that belong to one user")
//         .command<&Tasks::create>(tasks, post("/v1/tasks"), needs("tasks:write"), creates("/v1/tasks/{id}"),
//                                  etag_from<&TaskView::version>())
//         .query<&Tasks::find>(tasks, get("/v1/tasks/{id}"), needs("tasks:read"), fails_with(kTaskNotFound),
//                              etag_from<&TaskView::version>())
//         .query<&Tasks::list>(tasks, get("/v1/tasks"), needs("tasks:read"), sorts_by(kTaskSort));
//   }
//
// The signature is the contract (operation.h lists the forms); options.h lists what may be said beside it. The
// operation's name is the Api's name and the member function's: "tasks.create". Input fields fill by name:
//
//   - a `{name}` in the path fills the field `name`; the input must have it, required and scalar;
//   - GET and DELETE: the other fields come from the query string (a list repeats its name);
//   - POST, PUT and PATCH: the other fields come from the JSON body (PATCH: application/merge-patch+json too).
//
// Most inputs need no struct of their own: input.h derives them from the entity (New<Task>, Changes<Task>, Ref<Task>).
//
// What can be checked by the compiler is a static_assert with a sentence; the rest is checked when the Api is
// served (rest.h), which then refuses to start. Objects are shared by all threads and outlive the Api.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "bedplate/operations/operation.h"
#include "bedplate/operations/options.h"
#include "bedplate/operations/paging/page.h"
#include "bedplate/operations/signature.h"

namespace bedplate::api {

class Api {
 public:
  /// `name` (snake_case) is the tag in the documents and the first half of every operation's name.
  Api(std::string_view name, std::string_view doc) : name_(name), doc_(doc) {}

  /// Writes, in one transaction that the framework opens and commits: f(const Caller&, sql::Transaction&, const In&).
  template <auto Member, class Object, class... Options>
  Api command(Object& object, Route route, const Options&... options) && {
    using S = detail::SignatureOf<Member>;
    static_assert(
        S::kKind == OperationKind::command,
        "command<> wants a member function that takes sql::Transaction& before its input (a query takes "
        "sql::Reader&, a procedure sql::Database&, a pure operation neither)");
    return std::move(*this).template add<Member>(object, route, options...);
  }

  /// Reads, in one snapshot: f(const Caller&, sql::Reader&, const In&).
  template <auto Member, class Object, class... Options>
  Api query(Object& object, Route route, const Options&... options) && {
    using S = detail::SignatureOf<Member>;
    static_assert(S::kKind == OperationKind::query,
                  "query<> wants a member function that takes sql::Reader& before its input (a command takes "
                  "sql::Transaction&, a procedure sql::Database&, a pure operation neither)");
    return std::move(*this).template add<Member>(object, route, options...);
  }

  /// Opens short transactions of its own, because it waits for other things too: f(const Caller&, sql::Database&,
  /// const In&). `Idempotency-Key` has no effect on it: there is no one commit that could hold the record.
  template <auto Member, class Object, class... Options>
  Api procedure(Object& object, Route route, const Options&... options) && {
    using S = detail::SignatureOf<Member>;
    static_assert(
        S::kKind == OperationKind::procedure,
        "procedure<> wants a member function that takes sql::Database& before its input (a command takes "
        "sql::Transaction&, a query sql::Reader&, a pure operation neither)");
    return std::move(*this).template add<Member>(object, route, options...);
  }

  /// Needs no database: f(const Caller&, const In&), as a plain function (Result<Out>) or a coroutine (Async<Out>).
  template <auto Member, class Object, class... Options>
  Api pure(Object& object, Route route, const Options&... options) && {
    using S = detail::SignatureOf<Member>;
    static_assert(
        S::kKind == OperationKind::pure,
        "pure<> wants a member function without sql::Reader&, sql::Transaction& and sql::Database&");
    return std::move(*this).template add<Member>(object, route, options...);
  }

  std::string_view name() const { return name_; }
  std::string_view doc() const { return doc_; }
  const std::vector<Operation>& operations() const { return operations_; }

 private:
  template <auto Member, class Object, class... Options>
  Api add(Object& object, Route route, const Options&... options) && {
    using S = detail::SignatureOf<Member>;
    static_assert(std::is_base_of_v<typename S::Class, Object>,
                  "the object is of the member function's class");
    static_assert((detail::IsOption<Options> && ...),
                  "an option is one of those in bedplate/operations/options.h");
    constexpr int kAccessOptions = (0 + ... + int{detail::SaysWhoMayCall<Options>});
    static_assert(
        kAccessOptions > 0,
        "an operation says who may call it: needs(\"a:scope\"), any_user(), or open_to_all() for everybody");
    static_assert(kAccessOptions < 2, "an operation says once who may call it");
    static_assert((detail::fits_types<Options, S> && ...),
                  "etag_from<> names a field of the output type, if_match_into<> one of the input type");
    Operation operation;
    operation.name = name_ + "." + std::string(detail::member_name<Member>());
    operation.route = route;
    detail::fill_operation<Member>(operation, object);
    (options.apply(operation), ...);
    operations_.push_back(std::move(operation));
    return std::move(*this);
  }

  std::string name_;
  std::string doc_;
  std::vector<Operation> operations_;
};

}  // namespace bedplate::api
