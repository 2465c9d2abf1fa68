// SPDX-License-Identifier: Apache-2.0
// User: somebody who calls operations over HTTP, with types instead of JSON.
//
//   TestApp app({identity::identity_module_for_tests(), tasks::tasks_module()});
//   User ann = app.user("ann");                                  // signed up; the same name again: another session
//   Result<Task> task = ann.call(tasks::kCreate, api::New<Task>({.title = "Buy milk"}));
//   ASSERT_TRUE(task) << task.error().detail();
//   EXPECT_EQ(ann.last().field("ETag"), "\"1\"");                // the answer as it came
//
//   User eve = app.user("eve");
//   EXPECT_EQ(eve.call<Task>("tasks.find", api::Ref<Task>({.id = task->id})).error().code(), "task_not_found");
//
// A call goes over a real connection. The operation's route says the method and the path; the fields of the input fill
// the path, the query string or the body, as clients fill them (surfaces/rest/route.h). Nothing is checked before it is
// sent, so an invalid input tests the server's answer. Operations are called by their handle (operations/handle.h), or
// by their name with the type of the answer. Calling one that does not exist, or that has other types, throws
// std::logic_error with a sentence.
//
// An Error has the category of the answer's status, and the code, detail, faults and retry_after of its problem
// details. An answer that is neither the documented output nor problem details is Category::internal, code
// "not_documented".
//
// Made by TestApp, which outlives it. Blocks; one thread at a time, and several users may be used by several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "bedplate/auth/caller.h"
#include "bedplate/base/result.h"
#include "bedplate/describe/describe.h"
#include "bedplate/execution/executor.h"
#include "bedplate/operations/handle.h"
#include "bedplate/testing/http.h"

namespace bedplate::testing {

/// What a request has beside its input.
struct UserCallOptions {
  std::string idempotency_key = {};           ///< empty: none
  std::optional<std::int64_t> if_match = {};  ///< the version that the caller has seen
  HttpFields fields = {};                     ///< further header fields
};

class User {
 public:
  User(const std::string& url, const api::Executor& executor, std::string email, std::string token,
       auth::UserId id);
  User(User&&) noexcept;
  ~User();

  /// Calls an operation by its handle.
  template <class In, class Out>
    requires(!std::is_void_v<In>)
  Result<Out> call(const api::OperationHandle<In, Out>& handle, const In& input,
                   const UserCallOptions& options = {}) {
    return call<Out>(handle.name, input, options);
  }
  template <class Out>
  Result<Out> call(const api::OperationHandle<void, Out>& handle, const UserCallOptions& options = {}) {
    return call<Out>(handle.name, options);
  }
  /// By its name: call<Task>("tasks.find", ref). Of an operation that answers nothing: call<void>("tasks.remove", ref).
  template <class Out, class In>
    requires bedplate::detail::DescribedObject<In>
  Result<Out> call(std::string_view name, const In& input, const UserCallOptions& options = {}) {
    if constexpr (requires { input.if_match.restricted(); }) refuse_condition(input.if_match.restricted());
    return answer<Out>(name, &type_of<In>(), &input, options);
  }
  template <class Out>
  Result<Out> call(std::string_view name, const UserCallOptions& options = {}) {
    return answer<Out>(name, nullptr, nullptr, options);
  }

  /// Any request, with the user's token, and Content-Type: application/json where there is a body.
  HttpResponse request(std::string_view method, std::string_view target, std::string_view body = {},
                       HttpFields fields = {});

  /// The newest answer, as it came.
  const HttpResponse& last() const { return last_; }
  const std::string& email() const { return email_; }
  /// The access token; empty: without an account.
  const std::string& token() const { return token_; }
  /// All zero: without an account.
  auth::UserId id() const { return id_; }

 private:
  template <class Out>
  Result<Out> answer(std::string_view name, const TypeInfo* input_type, const void* input,
                     const UserCallOptions& options) {
    if constexpr (std::is_void_v<Out>) {
      return call_erased(name, input_type, input, nullptr, nullptr, options);
    } else {
      Out output{};
      Result<void> done = call_erased(name, input_type, input, &type_of<Out>(), &output, options);
      if (!done) return std::unexpected(std::move(done.error()));
      return output;
    }
  }
  static void refuse_condition(bool restricted);
  Result<void> call_erased(std::string_view name, const TypeInfo* input_type, const void* input,
                           const TypeInfo* output_type, void* output, const UserCallOptions& options);

  const api::Executor* executor_;
  std::unique_ptr<HttpConnection> http_;
  std::string email_;
  std::string token_;
  auth::UserId id_;
  HttpResponse last_;
};

}  // namespace bedplate::testing
