// SPDX-License-Identifier: Apache-2.0
#include "bedplate/testing/guarded_calls.h"

#include <stdexcept>
#include <utility>

#include "bedplate/app/database_place.h"

namespace bedplate::testing {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error("GuardedCalls: " + result.error().detail());
  return std::move(*result);
}

}  // namespace

GuardedCalls::GuardedCalls(TestApp& app, auth::UserId user) : principal_(auth::system_principal(user)) {
  database_ = must(app::open_for_operator(app.database_url(), "database.url"));
  guard_ = std::make_unique<QueryGuard>(*database_);
  api::Executor::Parts parts;
  parts.clock = &app.clock();
  parts.database = &guard_->database();
  parts.rate_limit.enabled = false;
  const std::span<const api::Api> apis = app.host().executor().apis();
  executor_ = must(api::Executor::make({apis.begin(), apis.end()}, std::move(parts)));
  caller_.principal = &principal_;
}
GuardedCalls::~GuardedCalls() = default;

}  // namespace bedplate::testing
