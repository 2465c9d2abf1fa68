// SPDX-License-Identifier: Apache-2.0
// Identity: the rules of signing up, logging in, sessions, tokens, and one's own account.
//
//   Result<auth::SealingKey> key = auth::SealingKey::load_or_make(key_file);
//   Identity identity(settings, std::move(*key), clock);
//   identity.add_data_owner(tasks);                       // its rows go when an account goes
//   co_await ok(identity.start(db));                      // after migrating, before serving
//   identity.keep_current(db).detach(&scope);             // on one loop, until the scope is cancelled
//   identity.run_maintenance(db).detach(&other_scope);         // the same
//   host.authenticate_with(identity.authenticator());
//
// What holds:
// - A password is checked or hashed in a pool, before and outside any transaction. Log-in does the same work
//   and gives the same answer whether the account does not exist or the password is wrong.
// - An access token is good for minutes and needs no database. A session is a chain of refresh tokens: using one
//   makes its one successor. A used token is answered again, with the same successor, while that was never used,
//   for a minute after the first use: requests that met, an answer that was lost. For ten seconds after the first
//   use a token whose successor was used is refused without harm. Everything else ends the session, because a
//   thief or the user holds a copy.
// - What ends a session or changes a user's rights leaves a row in identity_revocations. This process reads
//   it before it answers, so the tokens are refused on every loop at once; other processes within a second,
//   as they read the table four times a second, always from the primary. That is how the command line changes a
//   server that runs. One that cannot read it for identity.revocations_age_max_seconds takes no access token at
//   all (503 `revocations_unknown`) until it can again: it does not know which of them are still good. See
//   revocation_feed.h.
// - An account's row is written as it was read: where another transaction was faster, which only an isolation below
//   serializable lets happen, the transaction runs again.
// - The log names users and sessions by id; no address, password or token enters it.
//
// Immutable but for what guards itself; every member may be called from any loop.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/auth/key_ring.h"
#include "bedplate/auth/known_passwords.h"
#include "bedplate/auth/password.h"
#include "bedplate/auth/revocations.h"
#include "bedplate/auth/token_authenticator.h"
#include "bedplate/base/time.h"
#include "bedplate/cache/change_notifier.h"
#include "bedplate/sql/database.h"
#include "bedplate/telemetry/metrics.h"
#include "services/identity/api.h"
#include "services/identity/login_throttle.h"
#include "services/identity/revocation_feed.h"
#include "services/identity/settings.h"
#include "services/identity/signing_keys.h"
#include "services/identity/store.h"

namespace bedplate::identity {

inline constexpr std::string_view kUserRole = "user";
inline constexpr std::string_view kAdminRole = "admin";

/// The last moment at which an access token that was issued by `now` can be good.
Time tokens_until(const IdentitySettings& settings, Time now);

class Identity {
 public:
  /// `clock` outlives it.
  Identity(const IdentitySettings& settings, auth::SealingKey sealing, const Clock& clock);
  /// The same at a password cost that settings do not allow: the test kit's.
  Identity(const IdentitySettings& settings, auth::SealingKey sealing, const Clock& clock,
           auth::PasswordCost cost);

  /// Before start(). The owner outlives it.
  void add_data_owner(UserDataOwner& owner) { owners_.push_back(&owner); }

  /// Before start(): what users and administrators may do where identity.user_scopes and identity.admin_scopes are
  /// empty. Tokens follow at the next refresh.
  void grant_declared_scopes(std::vector<std::string> for_users, std::vector<std::string> for_admins);

  /// Before start(), where several processes serve one database: what one of them revokes the others then refuses at
  /// once, and not only at their next round. `notifier` outlives it.
  void tell_others_through(cache::ChangeNotifier& notifier) {
    revocation_feed_.tell_others_through(notifier);
  }

  /// Before start(): new passwords must not be in there, beside the built-in list of identity.refuse_common_passwords.
  /// Where it cannot say, the password is taken, and the log has it. `known` outlives it.
  void refuse_passwords_in(auth::KnownPasswords& known) { known_passwords_.push_back(&known); }

  auth::Authenticator& authenticator() { return authenticator_; }
  auth::PasswordHasher& passwords() { return passwords_; }
  const auth::TokenAuthenticator& token_authenticator() const { return authenticator_; }

  // ---- what a server does with it

  /// Loads signing keys (and makes the first) and revocations. Nothing can be verified before.
  Async<void> start(sql::Database& db);
  /// Reads new revocations until its scope is cancelled: RevocationFeed::keep_current().
  Async<void> keep_current(sql::Database& db) { return revocation_feed_.keep_current(db); }
  /// Reads keys and forgets sealed refresh tokens every minute, and deletes what has expired every few minutes. Fails
  /// as keep_current() does.
  Async<void> run_maintenance(sql::Database& db);
  /// One round of reading revocations: what other processes have ended since the last.
  Async<void> read_revocations(sql::Database& db) { return revocation_feed_.read(db); }
  Async<void> refresh_keys(sql::Database& db);
  /// Forgets sealed refresh tokens that cannot be answered again.
  Async<void> forget_sealed_tokens(sql::Database& db);

  /// Adds log-ins, hashes and tokens to the metrics. The registry outlives it.
  void report_to(telemetry::Registry& metrics) { watch_ = metrics.watch(numbers_); }

  // ---- operations; api.cc says how they are reached

  Async<Grant> sign_up(const api::Caller& caller, sql::Database& db, const SignUp& input);
  Async<Grant> log_in(const api::Caller& caller, sql::Database& db, const LogIn& input);
  Async<Grant> refresh(const api::Caller& caller, sql::Database& db, const Refresh& input);
  Async<void> log_out(const api::Caller& caller, sql::Database& db);

  Async<UserView> me(const api::Caller& caller, sql::Reader& db);
  Async<UserView> update_me(const api::Caller& caller, sql::Transaction& tx, const UpdateMe& input);
  Async<void> delete_me(const api::Caller& caller, sql::Database& db, const DeleteMe& input);
  Async<void> change_password(const api::Caller& caller, sql::Database& db, const ChangePassword& input);

  Async<SessionList> sessions(const api::Caller& caller, sql::Reader& db);
  Async<void> end_session(const api::Caller& caller, sql::Database& db, const api::Ref<SessionView>& input);
  Async<void> end_other_sessions(const api::Caller& caller, sql::Database& db);

  Result<auth::JwkSet> signing_keys();

 private:
  struct NewSession {
    SessionRow row;
    std::string refresh_token;
    std::string refresh_token_hash;
  };

  /// What a refresh found: whose session it is, and the successor that was made before, if it is answered again.
  struct Renewal {
    UserRow user;
    std::string earlier_successor;
  };

  /// Asked for when the metrics are read.
  class Numbers final : public telemetry::Collector {
   public:
    explicit Numbers(const Identity& identity) : identity_(identity) {}
    void collect(telemetry::MetricWriter& out) const override;

    std::atomic<std::uint64_t> log_ins{0};
    std::atomic<std::uint64_t> log_ins_failed{0};
    std::atomic<std::uint64_t> attempts_throttled{0};
    std::atomic<std::uint64_t> refresh_tokens_reused{0};
    std::atomic<std::uint64_t> refreshes_repeated{0};
    std::atomic<std::uint64_t> refresh_tokens_superseded{0};

   private:
    const Identity& identity_;
  };

  NewSession new_session(UserId user, const api::Caller& caller, Time now) const;
  static NewRefreshToken first_token_of(const NewSession& session);
  Result<Grant> grant(const UserRow& user, SessionId session, std::string refresh_token, Time now) const;
  std::vector<std::string> scopes_of(const std::vector<std::string>& roles) const;
  Time tokens_until(Time now) const { return identity::tokens_until(settings_, now); }
  /// A new password as it is hashed: `password_length`, or `password_known` when others know it. `pointer` leads to it.
  Async<std::string> accept_password(std::string_view password, std::string_view pointer);
  /// What the throttle said, as an answer; `what` there were too many of.
  Result<void> unless_throttled(std::chrono::seconds wait, std::string_view what);
  /// The caller's row, once the password has been found right.
  Async<UserRow> confirm_password(const api::Caller& caller, sql::Database& db, std::string_view password);

  // Bodies of transactions.
  Async<void> insert_account(sql::Transaction& tx, const UserRow& user, const NewSession& session);
  Async<UserRow> insert_log_in(sql::Transaction& tx, const UserRow& seen, const std::string& rehashed,
                               const NewSession& session);
  Async<Renewal> rotate(sql::Transaction& tx, const std::string& token_hash, NewSession& next,
                        const std::string& sealed);
  Async<std::string> repeat(sql::Transaction& tx, const std::string& token_hash, const RefreshRow& token,
                            Time now);
  Async<void> write_password(sql::Transaction& tx, const UserRow& seen, const std::string& hash,
                             SessionId spared);
  Async<void> delete_account(sql::Transaction& tx, const UserRow& seen);

  const IdentitySettings settings_;
  const Clock& clock_;
  auth::PasswordHasher passwords_;
  LoginThrottle throttle_;
  auth::KeyRing ring_;
  auth::Revocations revocations_;
  RevocationFeed revocation_feed_;
  auth::TokenAuthenticator authenticator_;
  const auth::SealingKey sealing_;
  SigningKeys keys_;
  std::vector<UserDataOwner*> owners_;
  std::vector<std::string> user_scopes_;
  std::vector<std::string> admin_scopes_;
  auth::CommonPasswords common_passwords_;
  std::vector<auth::KnownPasswords*> known_passwords_;
  Numbers numbers_{*this};
  telemetry::Watch watch_;
};

UserView view_of(const UserRow& user);

/// Deletes an account in `tx`: the owners' rows first, then the account's own. Its tokens are refused from
/// then on.
Async<void> delete_user_everywhere(sql::Transaction& tx, const UserRow& user,
                                   std::vector<UserDataOwner*>& owners, Time tokens_until);

}  // namespace bedplate::identity
