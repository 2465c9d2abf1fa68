// SPDX-License-Identifier: Apache-2.0
// Api: the operations of a module, each described in one place.
//
//   Api tasks_api(Tasks& tasks) {
//     using namespace bedplate::api;
//     return Api("tasks", "Tasks that belong to one user")
//         .command<&Tasks::create>("create", tasks, post("/v1/tasks"), needs("tasks:write"),
//                                  creates("/v1/tasks/{id}"), etag_from<&TaskView::version>())
//         .query<&Tasks::find>("find", tasks, get("/v1/tasks/{id}"), needs("tasks:read"),
//                              fails_with(kTaskNotFound), etag_from<&TaskView::version>())
//         .query<&Tasks::list>("list", tasks, get("/v1/tasks"), needs("tasks:read"), sorts_by(kTaskSort));
//   }
//
// The signature is the contract (operation.h lists the forms); options.h lists what may be said beside it, and
// bedplate/surfaces/rest/route.h what REST wants to know. The name is given, so that renaming a member function changes
// nothing outside: with the Api's before it, "tasks.create", it is the operation's name everywhere. One that another
// module calls has a handle in api.h, which takes the place of the name and holds the types to it:
//
//   inline constexpr OperationHandle<New<Task>, Task> kCreate{"tasks.create"};
//   ... .command<&Tasks::create>(kCreate, ...)
//
// Most inputs need no struct of their own: input.h derives them from the entity (New<Task>, Changes<Task>, Ref<Task>).
// The object may be left out; then it is bound later, by its class (app::Module makes it).
//
// What can be checked by the compiler is a static_assert with a sentence; the rest is checked when the program starts
// (execution/executor.h, surfaces/rest/rest.h), which then refuses to. Objects are shared by all threads and outlive
// the Api.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "bedplate/operations/handle.h"
#include "bedplate/operations/operation.h"
#include "bedplate/operations/options.h"
#include "bedplate/operations/paging/page.h"
#include "bedplate/operations/signature.h"

namespace bedplate::api {

class Api {
 public:
  /// `name` (snake_case) is the module's: the tag in the documents and the first half of every operation's name.
  Api(std::string_view name, std::string_view doc) : name_(name), doc_(doc) {}

  /// Writes, in one transaction that the framework opens and commits: f(const Caller&, sql::Transaction&, const In&).
  template <auto Member, class Name, class... Rest>
  Api command(const Name& name, Rest&&... rest) && {
    using S = detail::SignatureOf<Member>;
    static_assert(S::kKind == OperationKind::command,
                  "command<> wants a member function that takes sql::Transaction& (a query takes "
                  "sql::Reader&, a procedure "
                  "sql::Database&, a pure operation neither)");
    add<Member>(name, rest...);
    return std::move(*this);
  }

  /// Reads, in one snapshot: f(const Caller&, sql::Reader&, const In&).
  template <auto Member, class Name, class... Rest>
  Api query(const Name& name, Rest&&... rest) && {
    using S = detail::SignatureOf<Member>;
    static_assert(
        S::kKind == OperationKind::query,
        "query<> wants a member function that takes sql::Reader& (a command takes sql::Transaction&, a "
        "procedure sql::Database&, a pure operation neither)");
    add<Member>(name, rest...);
    return std::move(*this);
  }

  /// Opens short transactions of its own, because it waits for other things too: f(const Caller&, sql::Database&,
  /// const In&). An idempotency key has no effect on it: there is no one commit that could hold the record.
  template <auto Member, class Name, class... Rest>
  Api procedure(const Name& name, Rest&&... rest) && {
    using S = detail::SignatureOf<Member>;
    static_assert(
        S::kKind == OperationKind::procedure,
        "procedure<> wants a member function that takes sql::Database& (a command takes sql::Transaction&, a "
        "query sql::Reader&, a pure operation neither)");
    add<Member>(name, rest...);
    return std::move(*this);
  }

  /// Needs no database: f(const Caller&, const In&), as a plain function (Result<Out>) or a coroutine (Async<Out>).
  template <auto Member, class Name, class... Rest>
  Api pure(const Name& name, Rest&&... rest) && {
    using S = detail::SignatureOf<Member>;
    static_assert(
        S::kKind == OperationKind::pure,
        "pure<> wants a member function without sql::Reader&, sql::Transaction& and sql::Database&");
    add<Member>(name, rest...);
    return std::move(*this);
  }

  std::string_view name() const { return name_; }
  std::string_view doc() const { return doc_; }
  const std::vector<Operation>& operations() const { return operations_; }

  /// Gives the operations of class T that have no object yet this one.
  template <class T>
  void bind(T& object) {
    for (Operation& operation : operations_)
      if (!operation.object && operation.object_type == &detail::kTypeTag<T>) operation.object = &object;
  }

 private:
  template <auto Member, class Name, class... Rest>
  void add(const Name& name, Rest&... rest) {
    using S = detail::SignatureOf<Member>;
    Operation operation;
    operation.name = name_ + "." + std::string(detail::operation_name<S>(name));
    detail::fill_operation<Member>(operation);
    if constexpr (requires { detail::first_as<typename S::Class>(rest...); }) {
      operation.object = &detail::first_as<typename S::Class>(rest...);
      apply_rest<S>(operation, rest...);
    } else {
      apply<S>(operation, rest...);
    }
    operations_.push_back(std::move(operation));
  }
  template <class S, class Object, class... Options>
  static void apply_rest(Operation& operation, Object&, Options&... options) {
    apply<S>(operation, options...);
  }
  template <class S, class... Options>
  static void apply(Operation& operation, Options&... options) {
    static_assert(
        (detail::IsOption<Options> && ...),
        "an option is one of those in bedplate/operations/options.h or bedplate/surfaces/rest/route.h; the "
        "object, when it is given, is of the member function's class and stands behind the name");
    constexpr int kAccessOptions = (0 + ... + int{detail::SaysWhoMayCall<Options>});
    static_assert(kAccessOptions > 0,
                  "an operation says who may call it: needs(\"a:scope\"), any_user(), optional_user(), or "
                  "open_to_all() for everybody");
    static_assert(kAccessOptions < 2, "an operation says once who may call it");
    static_assert((detail::fits_types<Options, S> && ...),
                  "etag_from<> names a field of the output type, if_match_into<> one of the input type");
    (options.apply(operation), ...);
  }

  std::string name_;
  std::string doc_;
  std::vector<Operation> operations_;
};

}  // namespace bedplate::api
