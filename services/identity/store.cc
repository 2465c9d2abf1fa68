// SPDX-License-Identifier: Apache-2.0
#include "services/identity/store.h"

#include <utility>

#include "bedplate/sql/error.h"

namespace bedplate::identity::store {
namespace {

constexpr std::string_view kFindUser =
    "SELECT id, email, email_key, name, password_hash, roles, generation, disabled_at, version, created_at, "
    "updated_at "
    "FROM identity_users WHERE id = $1";
constexpr std::string_view kFindUserByEmail =
    "SELECT id, email, email_key, name, password_hash, roles, generation, disabled_at, version, created_at, "
    "updated_at "
    "FROM identity_users WHERE email_key = $1";
constexpr std::string_view kListAccounts =
    "SELECT u.id, u.email, u.name, u.roles, u.disabled_at, u.created_at, "
    "(SELECT max(s.last_used_at) FROM identity_sessions s WHERE s.user_id = u.id) AS last_seen_at "
    "FROM identity_users u WHERE u.email_key > $1 ORDER BY u.email_key LIMIT 1000";
constexpr std::string_view kInsertUser =
    "INSERT INTO identity_users (id, email, email_key, name, password_hash, roles, generation, disabled_at, "
    "version, "
    "created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $9)";
constexpr std::string_view kUpdateUser =
    "UPDATE identity_users SET name = $3, password_hash = $4, roles = $5, generation = $6, disabled_at = $7, "
    "updated_at = $8, version = version + 1 WHERE id = $1 AND version = $2";

constexpr std::string_view kFindSession =
    "SELECT id, user_id, address, user_agent, created_at, last_used_at, expires_at FROM identity_sessions "
    "WHERE id = $1";
constexpr std::string_view kListSessions =
    "SELECT id, user_id, address, user_agent, created_at, last_used_at, expires_at FROM identity_sessions "
    "WHERE user_id = $1 AND expires_at > $2 ORDER BY last_used_at DESC, id DESC LIMIT 10000";
constexpr std::string_view kSessionsBeyond =
    "SELECT id FROM identity_sessions WHERE user_id = $1 ORDER BY last_used_at DESC, id DESC LIMIT 1000 "
    "OFFSET $2";
constexpr std::string_view kInsertSession =
    "INSERT INTO identity_sessions (id, user_id, address, user_agent, created_at, last_used_at, expires_at, "
    "version) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, 1)";
constexpr std::string_view kTouchSession =
    "UPDATE identity_sessions SET address = $2, user_agent = $3, last_used_at = $4, expires_at = $5, "
    "version = version + 1 WHERE id = $1";
constexpr std::string_view kRevokeSessionsOfUser =
    "INSERT INTO identity_revocations (session_id, expires_at) "
    "SELECT id, $3 FROM identity_sessions WHERE user_id = $1 AND id <> $2";

constexpr std::string_view kFindRefreshToken =
    "SELECT t.session_id, s.user_id, t.used_at, s.expires_at FROM identity_refresh_tokens t "
    "JOIN identity_sessions s ON s.id = t.session_id WHERE t.token_hash = $1";
constexpr std::string_view kFindNewestRefreshToken =
    "SELECT token_hash, parent_hash, sealed_token FROM identity_refresh_tokens "
    "WHERE session_id = $1 AND used_at IS NULL";
constexpr std::string_view kInsertRefreshToken =
    "INSERT INTO identity_refresh_tokens (token_hash, session_id, issued_at, parent_hash, sealed_token) "
    "VALUES ($1, $2, $3, $4, $5)";
constexpr std::string_view kUseRefreshToken =
    "UPDATE identity_refresh_tokens SET used_at = $2, sealed_token = NULL "
    "WHERE token_hash = $1 AND used_at IS NULL";
constexpr std::string_view kForgetSealedTokens =
    "UPDATE identity_refresh_tokens SET sealed_token = NULL WHERE token_hash IN "
    "(SELECT token_hash FROM identity_refresh_tokens WHERE sealed_token IS NOT NULL AND issued_at < $1 "
    "ORDER BY issued_at LIMIT 500)";

constexpr std::string_view kListRevocations =
    "SELECT seq, session_id, user_id, generation, expires_at FROM identity_revocations "
    "WHERE seq > $1 AND expires_at > $2 ORDER BY seq LIMIT 10000";

}  // namespace

// ---- users

Async<std::optional<UserRow>> find_user(sql::Reader& db, UserId id) {
  auto row = co_await ok(db.maybe<UserRow>(kFindUser, id));
  co_return row;
}

Async<std::optional<UserRow>> find_user_by_email(sql::Reader& db, const std::string& email_key) {
  auto row = co_await ok(db.maybe<UserRow>(kFindUserByEmail, email_key));
  co_return row;
}

Async<std::int64_t> count_users(sql::Reader& db) {
  std::int64_t count = co_await ok(db.value<std::int64_t>("SELECT count(*) FROM identity_users"));
  co_return count;
}

Async<std::vector<AccountRow>> list_accounts(sql::Reader& db, const std::string& after_email_key) {
  auto rows = co_await ok(db.all<AccountRow>(kListAccounts, after_email_key));
  co_return rows;
}

Async<void> insert_user(sql::Transaction& tx, const UserRow& user) {
  co_await ok(tx.run(kInsertUser, user.id, user.email, user.email_key, user.name, user.password_hash,
                     user.roles, user.generation, user.disabled_at, user.created_at));
}

Async<void> update_user(sql::Transaction& tx, const UserRow& user) {
  std::int64_t changed = co_await ok(tx.run(kUpdateUser, user.id, user.version, user.name, user.password_hash,
                                            user.roles, user.generation, user.disabled_at, user.updated_at));
  if (changed == 0) co_await sql::overtaken();
}

Async<void> delete_user(sql::Transaction& tx, UserId id) {
  co_await ok(tx.run("DELETE FROM identity_users WHERE id = $1", id));
}

// ---- sessions

Async<std::vector<SessionRow>> list_sessions(sql::Reader& db, UserId user, Time now) {
  auto rows = co_await ok(db.all<SessionRow>(kListSessions, user, now));
  co_return rows;
}

Async<std::optional<SessionRow>> find_session(sql::Reader& db, SessionId id) {
  auto row = co_await ok(db.maybe<SessionRow>(kFindSession, id));
  co_return row;
}

Async<std::vector<SessionId>> sessions_beyond(sql::Reader& db, UserId user, std::int64_t keep) {
  auto ids = co_await ok(db.all<SessionId>(kSessionsBeyond, user, keep));
  co_return ids;
}

Async<void> insert_session(sql::Transaction& tx, const SessionRow& session) {
  co_await ok(tx.run(kInsertSession, session.id, session.user_id, session.address, session.user_agent,
                     session.created_at, session.last_used_at, session.expires_at));
}

Async<bool> touch_session(sql::Transaction& tx, const SessionRow& session) {
  std::int64_t changed = co_await ok(tx.run(kTouchSession, session.id, session.address, session.user_agent,
                                            session.last_used_at, session.expires_at));
  co_return changed == 1;
}

Async<bool> end_session(sql::Transaction& tx, SessionId id, Time tokens_until) {
  std::int64_t deleted = co_await ok(tx.run("DELETE FROM identity_sessions WHERE id = $1", id));
  if (deleted == 0) co_return false;
  co_await ok(
      tx.run("INSERT INTO identity_revocations (session_id, expires_at) VALUES ($1, $2)", id, tokens_until));
  co_return true;
}

Async<std::int64_t> end_sessions(sql::Transaction& tx, UserId user, std::optional<SessionId> spared,
                                 Time tokens_until) {
  const SessionId kept = spared.value_or(SessionId());  // nil names no session
  co_await ok(tx.run(kRevokeSessionsOfUser, user, kept, tokens_until));
  std::int64_t ended =
      co_await ok(tx.run("DELETE FROM identity_sessions WHERE user_id = $1 AND id <> $2", user, kept));
  co_return ended;
}

// ---- refresh tokens

Async<std::optional<RefreshRow>> find_refresh_token(sql::Reader& db, const std::string& token_hash) {
  auto row = co_await ok(db.maybe<RefreshRow>(kFindRefreshToken, token_hash));
  co_return row;
}

Async<std::optional<NewestRefreshRow>> find_newest_refresh_token(sql::Reader& db, SessionId session) {
  auto row = co_await ok(db.maybe<NewestRefreshRow>(kFindNewestRefreshToken, session));
  co_return row;
}

Async<void> insert_refresh_token(sql::Transaction& tx, const NewRefreshToken& token) {
  co_await ok(tx.run(kInsertRefreshToken, token.token_hash, token.session_id, token.issued_at,
                     token.parent_hash, token.sealed_token));
}

Async<bool> use_refresh_token(sql::Transaction& tx, const std::string& token_hash, Time now) {
  std::int64_t changed = co_await ok(tx.run(kUseRefreshToken, token_hash, now));
  co_return changed == 1;
}

Async<void> prune_refresh_tokens(sql::Transaction& tx, SessionId session, Time used_before) {
  co_await ok(tx.run("DELETE FROM identity_refresh_tokens WHERE session_id = $1 AND used_at < $2", session,
                     used_before));
}

Async<std::int64_t> forget_sealed_tokens(sql::Transaction& tx, Time issued_before) {
  std::int64_t forgotten = co_await ok(tx.run(kForgetSealedTokens, issued_before));
  co_return forgotten;
}

// ---- revocations

Async<std::vector<RevocationRow>> list_revocations(sql::Reader& db, std::int64_t after_seq, Time now) {
  auto rows = co_await ok(db.all<RevocationRow>(kListRevocations, after_seq, now));
  co_return rows;
}

Async<void> revoke_generations(sql::Transaction& tx, UserId user, std::int64_t below, Time tokens_until) {
  co_await ok(tx.run("INSERT INTO identity_revocations (user_id, generation, expires_at) VALUES ($1, $2, $3)",
                     user, below, tokens_until));
}

// ---- signing keys

Async<std::vector<SigningKeyRow>> list_signing_keys(sql::Reader& db) {
  auto rows = co_await ok(db.all<SigningKeyRow>(
      "SELECT kid, sealed_seed, signs_from, created_at FROM identity_signing_keys ORDER BY signs_from DESC"));
  co_return rows;
}

Async<void> insert_signing_key(sql::Transaction& tx, const SigningKeyRow& key) {
  co_await ok(
      tx.run("INSERT INTO identity_signing_keys (kid, sealed_seed, signs_from, created_at) "
             "VALUES ($1, $2, $3, $4)",
             key.kid, key.sealed_seed, key.signs_from, key.created_at));
}

Async<void> delete_signing_key(sql::Transaction& tx, const std::string& kid) {
  co_await ok(tx.run("DELETE FROM identity_signing_keys WHERE kid = $1", kid));
}

// ---- housekeeping

Async<std::int64_t> delete_expired(sql::Transaction& tx, Time now) {
  std::int64_t sessions = co_await ok(
      tx.run("DELETE FROM identity_sessions WHERE id IN "
             "(SELECT id FROM identity_sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT 500)",
             now));
  std::int64_t revocations = co_await ok(
      tx.run("DELETE FROM identity_revocations WHERE seq IN "
             "(SELECT seq FROM identity_revocations WHERE expires_at <= $1 ORDER BY expires_at LIMIT 500)",
             now));
  co_return sessions + revocations;
}

Async<void> forget_all_tokens(sql::Transaction& tx) {
  co_await ok(tx.run("DELETE FROM identity_sessions"));
  co_await ok(tx.run("DELETE FROM identity_signing_keys"));
}

}  // namespace bedplate::identity::store
