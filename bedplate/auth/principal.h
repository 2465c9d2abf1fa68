// SPDX-License-Identifier: Apache-2.0
// Who is calling, once it is known: what a verified token (later: an API key, a client certificate) says.
//
// Auth knows that users and sessions have ids, and nothing else about them: who the users are is the business
// of services/identity.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/id.h"
#include "bedplate/base/time.h"

namespace bedplate::auth {

struct User;
struct Session;
using UserId = Id<User>;
using SessionId = Id<Session>;

/// Immutable once made: loops and the database's writer read it at the same time.
struct Principal {
  UserId user;
  SessionId session;
  /// The customer on whose behalf the user acts, where there are several; what they reach goes by it
  /// (sql/tenants.h). Nothing: tenants' rows are out of reach.
  std::optional<Uuid> tenant;
  std::vector<std::string> roles;
  /// What the bearer may do, "tasks:read". The operation's needs() is checked against these, never against
  /// roles.
  std::vector<std::string> scopes;
  /// Grows when the user's roles or standing change; tokens of an older generation are refused.
  std::int64_t generation = 0;
  Time issued_at{};
  Time expires_at{};

  bool has_scope(std::string_view scope) const;
  bool has_role(std::string_view role) const;
};

/// A request holds one for as long as it runs: the cache that it came from may forget it meanwhile.
using PrincipalRef = std::shared_ptr<const Principal>;

}  // namespace bedplate::auth
