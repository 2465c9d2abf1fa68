// SPDX-License-Identifier: Apache-2.0
// What an operation is told about the one who called it. It never says which surface the call came through.
//
//   Async<Task> Tasks::create(const auth::Caller& caller, sql::Transaction& tx, const CreateTask& input) {
//     ... caller.user() ...
//   }
#pragma once

#include <cassert>
#include <optional>
#include <string_view>

#include "bedplate/auth/principal.h"
#include "bedplate/telemetry/trace.h"

namespace bedplate::auth {

/// Everything here belongs to the request and lives as long as the operation runs.
struct Caller {
  /// Null: anonymous. Only an operation that is open to all meets that.
  const Principal* principal = nullptr;
  /// Where the call came from, after trusted proxies: "203.0.113.7", "2001:db8::1"; empty when nobody knows.
  std::string_view address;
  std::string_view request_id;
  std::string_view user_agent;
  /// The W3C trace that the caller belongs to, to hand on to what the operation calls (http::ClientRequest::trace());
  /// null when the request named none.
  const telemetry::RequestTrace* trace = nullptr;

  /// The module of the command in whose transaction this caller is; empty outside of one. Set by the executor, which
  /// so knows what may be called from there.
  std::string_view transaction_of = {};

  bool anonymous() const { return principal == nullptr; }
  /// The user whose data this is about: the caller's, or the one on whose behalf it acts. An operation that names a
  /// permission always has one; asking for an anonymous caller's is a bug.
  UserId user() const {
    assert(principal && "this operation is open to all: look at anonymous() first");
    return principal->act ? *principal->act : principal->user;
  }
  SessionId session() const {
    assert(principal && "this operation is open to all: look at anonymous() first");
    return principal->session;
  }
  /// Nothing for an anonymous caller, and for one without a tenant.
  std::optional<Uuid> tenant() const { return principal ? principal->tenant : std::nullopt; }
};

}  // namespace bedplate::auth
