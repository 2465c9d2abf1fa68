// SPDX-License-Identifier: Apache-2.0
// Who is calling, once it is known: what a verified token, an API key or a client certificate says, or the program
// itself (system).
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

/// What kind of caller it is. A caller without a principal is anonymous.
enum class PrincipalKind : std::uint8_t {
  user,             ///< a person who has signed in
  service_account,  ///< another program, with credentials of its own
  api_key,          ///< a key that a user made; `user` is that user
  client,           ///< an OAuth client that acts for itself
  system,           ///< this program: jobs, the command line, maintenance
};
/// "service_account"
std::string_view kind_name(PrincipalKind kind);

/// Immutable once made: loops and the database's writer read it at the same time.
struct Principal {
  PrincipalKind kind = PrincipalKind::user;
  /// Of a user and of an API key the user's id; of every other kind an id of its own (of system: nil).
  UserId user;
  /// On whose behalf it acts, where that is somebody else: a job runs as system for the user whose request enqueued
  /// it. It is recorded (audit), and Caller::user() is this user; it gives no permission.
  std::optional<UserId> act;
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

  /// Whom the credentials were issued for (RFC 7519 section 4.1.3). Empty: they name nobody.
  std::vector<std::string> audience;
  /// How the user proved who they are, as RFC 8176 names it: "pwd", "otp", "hwk". Empty: nobody knows.
  std::vector<std::string> authentication_methods;
  /// When they did. Time{}: nobody knows.
  Time authenticated_at{};

  /// System has every scope.
  bool has_scope(std::string_view scope) const;
  bool has_role(std::string_view role) const;
};

/// A request holds one for as long as it runs: the cache that it came from may forget it meanwhile.
using PrincipalRef = std::shared_ptr<const Principal>;

/// The program itself. `act`: the user on whose behalf.
Principal system_principal(std::optional<UserId> act = {});

}  // namespace bedplate::auth
