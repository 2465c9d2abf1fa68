// SPDX-License-Identifier: Apache-2.0
// The rows of identity and the SQL over them. Nothing here decides anything: rules are in service.h.
//
// Every function is a coroutine of one session; what is passed by reference outlives it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/auth/principal.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/describe.h"
#include "bedplate/sql/session.h"

namespace bedplate::identity {

using auth::SessionId;
using auth::UserId;

struct UserRow {
  UserId id;
  std::string email;
  std::string email_key;
  std::optional<std::string> name;
  std::string password_hash;
  std::vector<std::string> roles;
  std::int64_t generation = 1;
  std::optional<Time> disabled_at;
  std::int64_t version = 1;
  Time created_at{};
  Time updated_at{};

  static consteval auto describe() {
    using namespace bedplate::schema;
    using R = UserRow;
    return object<R>("A row of identity_users", {
                                                    field<&R::id>(),
                                                    field<&R::email>(),
                                                    field<&R::email_key>(),
                                                    field<&R::name>(),
                                                    field<&R::password_hash>(secret),
                                                    field<&R::roles>(),
                                                    field<&R::generation>(),
                                                    field<&R::disabled_at>(),
                                                    field<&R::version>(),
                                                    field<&R::created_at>(),
                                                    field<&R::updated_at>(),
                                                });
  }
};

struct SessionRow {
  SessionId id;
  UserId user_id;
  std::string address;
  std::string user_agent;
  Time created_at{};
  Time last_used_at{};
  Time expires_at{};

  static consteval auto describe() {
    using namespace bedplate::schema;
    using R = SessionRow;
    return object<R>("A row of identity_sessions", {
                                                       field<&R::id>(),
                                                       field<&R::user_id>(),
                                                       field<&R::address>(),
                                                       field<&R::user_agent>(),
                                                       field<&R::created_at>(),
                                                       field<&R::last_used_at>(),
                                                       field<&R::expires_at>(),
                                                   });
  }
};

/// A refresh token and the session it continues.
struct RefreshRow {
  SessionId session_id;
  UserId user_id;
  std::optional<Time> used_at;
  Time expires_at{};

  static consteval auto describe() {
    using namespace bedplate::schema;
    using R = RefreshRow;
    return object<R>("A refresh token with its session", {
                                                             field<&R::session_id>(),
                                                             field<&R::user_id>(),
                                                             field<&R::used_at>(),
                                                             field<&R::expires_at>(),
                                                         });
  }
};

/// A refresh token to be kept: the first of a session, or the successor of another.
struct NewRefreshToken {
  std::string token_hash;
  SessionId session_id;
  Time issued_at{};
  std::optional<std::string> parent_hash;
  std::optional<std::string> sealed_token;
};

/// The newest refresh token of a session: the one that was never used.
struct NewestRefreshRow {
  std::string token_hash;
  std::optional<std::string> parent_hash;
  std::optional<std::string> sealed_token;

  static consteval auto describe() {
    using namespace bedplate::schema;
    using R = NewestRefreshRow;
    return object<R>("The newest refresh token of a session", {
                                                                  field<&R::token_hash>(),
                                                                  field<&R::parent_hash>(),
                                                                  field<&R::sealed_token>(secret),
                                                              });
  }
};

/// An account as an operator sees it.
struct AccountRow {
  UserId id;
  std::string email;
  std::optional<std::string> name;
  std::vector<std::string> roles;
  std::optional<Time> disabled_at;
  Time created_at{};
  std::optional<Time> last_seen_at;

  static consteval auto describe() {
    using namespace bedplate::schema;
    using R = AccountRow;
    return object<R>("An account as an operator sees it",
                     {
                         field<&R::id>(),
                         field<&R::email>(),
                         field<&R::name>(),
                         field<&R::roles>(),
                         field<&R::disabled_at>("Nobody logs in since then"),
                         field<&R::created_at>(),
                         field<&R::last_seen_at>("The last log-in or refresh of the sessions that it has"),
                     });
  }
};

/// Either a session's tokens, or a user's below a generation.
struct RevocationRow {
  std::int64_t seq = 0;
  std::optional<SessionId> session_id;
  std::optional<UserId> user_id;
  std::optional<std::int64_t> generation;
  Time expires_at{};

  static consteval auto describe() {
    using namespace bedplate::schema;
    using R = RevocationRow;
    return object<R>("A row of identity_revocations", {
                                                          field<&R::seq>(),
                                                          field<&R::session_id>(),
                                                          field<&R::user_id>(),
                                                          field<&R::generation>(),
                                                          field<&R::expires_at>(),
                                                      });
  }
};

struct SigningKeyRow {
  std::string kid;
  std::string sealed_seed;
  Time signs_from{};
  Time created_at{};

  static consteval auto describe() {
    using namespace bedplate::schema;
    using R = SigningKeyRow;
    return object<R>("A row of identity_signing_keys", {
                                                           field<&R::kid>(),
                                                           field<&R::sealed_seed>(secret),
                                                           field<&R::signs_from>(),
                                                           field<&R::created_at>(),
                                                       });
  }
};

namespace store {

// ---- users

Async<std::optional<UserRow>> find_user(sql::Reader& db, UserId id);
Async<std::optional<UserRow>> find_user_by_email(sql::Reader& db, const std::string& email_key);
Async<std::int64_t> count_users(sql::Reader& db);
/// In the order of email_key, those after this one; at most 1000 at a time.
Async<std::vector<AccountRow>> list_accounts(sql::Reader& db, const std::string& after_email_key);
/// Category::conflict `unique_violation` of identity_users.email_key when the address is taken.
Async<void> insert_user(sql::Transaction& tx, const UserRow& user);
/// Writes what can change (name, password_hash, roles, generation, disabled_at, updated_at) and version + 1.
/// sql::overtaken() when the row is not of that version any more.
Async<void> update_user(sql::Transaction& tx, const UserRow& user);
/// With everything that refers to it here.
Async<void> delete_user(sql::Transaction& tx, UserId id);

// ---- sessions

Async<std::vector<SessionRow>> list_sessions(sql::Reader& db, UserId user, Time now);
Async<std::optional<SessionRow>> find_session(sql::Reader& db, SessionId id);
/// The user's sessions but the `keep` last used ones; at most 1000 at a time.
Async<std::vector<SessionId>> sessions_beyond(sql::Reader& db, UserId user, std::int64_t keep);
Async<void> insert_session(sql::Transaction& tx, const SessionRow& session);
/// Written at every refresh. False: the session has ended.
Async<bool> touch_session(sql::Transaction& tx, const SessionRow& session);
/// Its refresh tokens go with it, and its access tokens are refused until `tokens_until`. True: there was
/// one.
Async<bool> end_session(sql::Transaction& tx, SessionId id, Time tokens_until);
/// All of the user's sessions but `spared`, if any. How many there were.
Async<std::int64_t> end_sessions(sql::Transaction& tx, UserId user, std::optional<SessionId> spared,
                                 Time tokens_until);

// ---- refresh tokens

Async<std::optional<RefreshRow>> find_refresh_token(sql::Reader& db, const std::string& token_hash);
/// None: its newest token is not here, which only a row that somebody deleted by hand explains.
Async<std::optional<NewestRefreshRow>> find_newest_refresh_token(sql::Reader& db, SessionId session);
Async<void> insert_refresh_token(sql::Transaction& tx, const NewRefreshToken& token);
/// False: it was used before. What was sealed of it is forgotten.
Async<bool> use_refresh_token(sql::Transaction& tx, const std::string& token_hash, Time now);
/// Forgets the session's tokens that were used before `used_before`.
Async<void> prune_refresh_tokens(sql::Transaction& tx, SessionId session, Time used_before);
/// Forgets what is sealed of tokens that were issued before `issued_before`, of at most 500. Of how many.
Async<std::int64_t> forget_sealed_tokens(sql::Transaction& tx, Time issued_before);

// ---- revocations

/// Those after `after_seq` that still matter, oldest first; at most 10 000 at a time.
Async<std::vector<RevocationRow>> list_revocations(sql::Reader& db, std::int64_t after_seq, Time now);
Async<void> revoke_generations(sql::Transaction& tx, UserId user, std::int64_t below, Time tokens_until);

// ---- signing keys

/// Youngest first.
Async<std::vector<SigningKeyRow>> list_signing_keys(sql::Reader& db);
Async<void> insert_signing_key(sql::Transaction& tx, const SigningKeyRow& key);
Async<void> delete_signing_key(sql::Transaction& tx, const std::string& kid);

// ---- housekeeping

/// Deletes sessions and revocations whose time is over, a bounded number of them. How many it were.
Async<std::int64_t> delete_expired(sql::Transaction& tx, Time now);
/// Deletes every session and every signing key: no token issued so far is good any more.
Async<void> forget_all_tokens(sql::Transaction& tx);

}  // namespace store
}  // namespace bedplate::identity
