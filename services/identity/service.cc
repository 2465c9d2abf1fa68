// SPDX-License-Identifier: Apache-2.0
#include "services/identity/service.h"

#include <fmt/core.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "bedplate/async/loop.h"
#include "bedplate/async/timer.h"
#include "bedplate/base/log.h"
#include "bedplate/base/text.h"
#include "bedplate/sql/error.h"
#include "services/identity/email.h"
#include "services/identity/refresh_token.h"

namespace bedplate::identity {
namespace {

using std::chrono::seconds;

constexpr std::size_t kUserAgentSizeMax = 300;
constexpr seconds kClockMargin{60};

constexpr seconds kKeysEvery{60};
constexpr seconds kCleanupEvery{300};
constexpr std::string_view kAttemptsAtPasswords =
    "wrong passwords for this account or from your address; until the wait is over the right one is refused "
    "too";

auth::PasswordCost cost_of(const IdentitySettings& settings) {
  return auth::PasswordCost(static_cast<std::uint32_t>(settings.password_memory_kib),
                            static_cast<std::uint32_t>(settings.password_passes));
}

auth::TokenPolicy policy_of(const IdentitySettings& settings) {
  auth::TokenPolicy policy;
  policy.issuer = settings.issuer;
  policy.audience = settings.audience;
  return policy;
}

KeyRotation rotation_of(const IdentitySettings& settings) {
  KeyRotation rotation;
  rotation.age = seconds(settings.key_rotation_days * 86'400);
  rotation.token_life = seconds(settings.access_token_seconds) + kClockMargin;
  return rotation;
}

std::string clean_user_agent(std::string_view text) {
  if (!is_valid_utf8(text)) return "";
  return std::string(utf8_prefix(text, kUserAgentSizeMax));
}

}  // namespace

Identity::Identity(const IdentitySettings& settings, auth::SealingKey sealing, const Clock& clock)
    : Identity(settings, std::move(sealing), clock, cost_of(settings)) {}

Identity::Identity(const IdentitySettings& settings, auth::SealingKey sealing, const Clock& clock,
                   auth::PasswordCost cost)
    : settings_(settings),
      clock_(clock),
      passwords_(cost, {static_cast<unsigned>(settings.password_threads),
                        static_cast<unsigned>(settings.password_queue_max)}),
      throttle_(settings.login_throttle),
      revocation_feed_(revocations_, clock, seconds(settings.revocations_age_max_seconds)),
      authenticator_(ring_, revocations_, policy_of(settings)),
      sealing_(sealing),
      keys_(std::move(sealing), ring_, rotation_of(settings)),
      user_scopes_(settings.user_scopes),
      admin_scopes_(settings.admin_scopes) {
  grant_declared_scopes({std::string(kAccountScope)}, {std::string(kAdminScope)});
  if (settings_.refuse_common_passwords) known_passwords_.push_back(&common_passwords_);
}

// ---- what a server does with it

Async<void> Identity::start(sql::Database& db) {
  co_await ok(refresh_keys(db));
  co_await ok(revocation_feed_.read(db));
}

Async<void> Identity::run_maintenance(sql::Database& db) {
  Loop& loop = *Loop::current();
  for (Loop::TimePoint cleanup_due = loop.now() + kCleanupEvery;;) {
    co_await ok(sleep_for(kKeysEvery));
    Result<void> refreshed = co_await refresh_keys(db);
    if (!refreshed) log_error("signing keys could not be read", {{"code", refreshed.error().code()}});
    Result<void> forgotten = co_await forget_sealed_tokens(db);
    if (!forgotten)
      log_warn("sealed refresh tokens could not be deleted", {{"code", forgotten.error().code()}});
    if (loop.now() < cleanup_due) continue;
    cleanup_due = loop.now() + kCleanupEvery;
    Time now = clock_.now();
    Result<std::int64_t> deleted = co_await db.transact(&store::delete_expired, now);
    if (!deleted) log_warn("expired sessions could not be deleted", {{"code", deleted.error().code()}});
  }
}

Async<void> Identity::refresh_keys(sql::Database& db) {
  bool key_left = co_await ok(keys_.refresh(db, clock_.now()));
  if (key_left) revocations_.bump();
}

void Identity::Numbers::collect(telemetry::MetricWriter& out) const {
  auto count = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    out.counter(name, help, static_cast<double>(value));
  };
  count("bedplate_identity_log_ins_total", "Log-ins that succeeded.", log_ins.load());
  count("bedplate_identity_log_ins_failed_total", "Log-ins with a wrong address or password.",
        log_ins_failed.load());
  count("bedplate_identity_attempts_throttled_total", "Attempts that were told to wait.",
        attempts_throttled.load());
  count("bedplate_identity_refresh_tokens_reused_total",
        "Refresh tokens that came twice and ended their session.", refresh_tokens_reused.load());
  count(
      "bedplate_identity_refreshes_repeated_total",
      "Refreshes answered again with the same refresh token: sent at the same time, or the answer was lost.",
      refreshes_repeated.load());
  count("bedplate_identity_refresh_tokens_superseded_total",
        "Refresh tokens that came within seconds after their successor was used.",
        refresh_tokens_superseded.load());
  count("bedplate_identity_password_hashes_total", "Runs of argon2id.", identity_.passwords_.runs());
  out.gauge("bedplate_identity_password_hashes_waiting", "Passwords that wait for a thread.",
            static_cast<double>(identity_.passwords_.waiting()));
  count("bedplate_identity_token_verifications_total", "Access tokens whose signature was checked.",
        identity_.authenticator_.verifications());
  out.gauge("bedplate_identity_revocations", "Revoked sessions and users that are remembered.",
            static_cast<double>(identity_.revocations_.size()));
  out.gauge(
      "bedplate_identity_revocations_age_seconds",
      "Since revocations of other processes were read; beyond identity.revocations_age_max_seconds access "
      "tokens are refused.",
      identity_.revocation_feed_.age_seconds());
}

// ---- tokens

Identity::NewSession Identity::new_session(UserId user, const api::Caller& caller, Time now) const {
  NewSession session;
  session.row.id = new_id<SessionId>();
  session.row.user_id = user;
  session.row.address = std::string(caller.address);
  session.row.user_agent = clean_user_agent(caller.user_agent);
  session.row.created_at = now;
  session.row.last_used_at = now;
  session.row.expires_at = now + seconds(settings_.session_days * 86'400);
  session.refresh_token = new_refresh_token();
  session.refresh_token_hash = hash_of_refresh_token(session.refresh_token);
  return session;
}

NewRefreshToken Identity::first_token_of(const NewSession& session) {
  NewRefreshToken token;
  token.token_hash = session.refresh_token_hash;
  token.session_id = session.row.id;
  token.issued_at = session.row.created_at;
  return token;
}

Result<Grant> Identity::grant(const UserRow& user, SessionId session, std::string refresh_token,
                              Time now) const {
  auto key = ring_.signing_key(now);
  if (!key) return fail(kStarting);
  auth::TokenClaims claims;
  claims.user = user.id;
  claims.session = session;
  claims.id = new_uuid();
  claims.roles = user.roles;
  claims.scopes = scopes_of(user.roles);
  claims.generation = user.generation;
  claims.issued_at = now;
  claims.expires_at = now + seconds(settings_.access_token_seconds);
  Grant grant;
  grant.user = view_of(user);
  grant.access_token = auth::sign_token(*key, policy_of(settings_), claims);
  grant.refresh_token = std::move(refresh_token);
  grant.expires_in = settings_.access_token_seconds;
  return grant;
}

void Identity::grant_declared_scopes(std::vector<std::string> for_users,
                                     std::vector<std::string> for_admins) {
  if (settings_.user_scopes.empty()) user_scopes_ = std::move(for_users);
  if (settings_.admin_scopes.empty()) admin_scopes_ = std::move(for_admins);
}

std::vector<std::string> Identity::scopes_of(const std::vector<std::string>& roles) const {
  std::vector<std::string> scopes;
  auto add = [&](const std::vector<std::string>& more) {
    for (const std::string& scope : more)
      if (std::find(scopes.begin(), scopes.end(), scope) == scopes.end()) scopes.push_back(scope);
  };
  for (const std::string& role : roles) {
    if (role == kUserRole) add(user_scopes_);
    if (role == kAdminRole) add(admin_scopes_);
  }
  return scopes;
}

Time tokens_until(const IdentitySettings& settings, Time now) {
  return now + seconds(settings.access_token_seconds) + kClockMargin;
}

Result<void> Identity::unless_throttled(seconds wait, std::string_view what) {
  if (wait == seconds(0)) return {};
  ++numbers_.attempts_throttled;
  auto failure = fail(kTooManyAttempts.category, kTooManyAttempts.code,
                      fmt::format("Too many {}. Try again in {} s.", what, wait.count()));
  return std::unexpected(std::move(failure.error()).with_retry_after(wait));
}

Async<std::string> Identity::accept_password(std::string_view password, std::string_view pointer) {
  std::optional<std::string> text = auth::normalize_password(password);
  const auto length = static_cast<std::int64_t>(text ? count_code_points(*text) : 0);
  const bool too_short = length < settings_.password_length_min;
  if (too_short || length > auth::kPasswordLengthMax) {
    Fault fault{std::string(pointer), too_short ? "too_short" : "too_long",
                too_short ? fmt::format("must have at least {} characters", settings_.password_length_min)
                          : fmt::format("must have at most {} characters", auth::kPasswordLengthMax)};
    std::string detail = "The new password " + fault.message + ".";
    std::vector<Fault> faults;
    faults.push_back(std::move(fault));
    auto failure = fail(kPasswordLength.category, kPasswordLength.code, std::move(detail));
    co_return std::unexpected(std::move(failure.error()).with_faults(std::move(faults)));
  }
  for (auth::KnownPasswords* list : known_passwords_) {
    Result<bool> known = co_await list->contains(*text);
    if (!known)
      log_warn("a new password could not be compared with known ones", {{"code", known.error().code()}});
    else if (*known)
      co_return api::fail(kPasswordKnown);
  }
  co_return std::move(*text);
}

UserView view_of(const UserRow& user) {
  UserView view;
  view.id = user.id;
  view.email = user.email;
  view.name = user.name;
  view.roles = user.roles;
  view.created_at = user.created_at;
  view.updated_at = user.updated_at;
  view.version = user.version;
  return view;
}

// ---- signing up and logging in

Async<Grant> Identity::sign_up(const api::Caller& caller, sql::Database& db, const SignUp& input) {
  const Time now = clock_.now();
  // Before it counts as an attempt: whoever is told to choose a longer password tries again.
  const std::string password = co_await ok(accept_password(input.password, "/password"));
  co_await ok(unless_throttled(throttle_.admit_sign_up(caller.address, now), "sign-ups from your address"));
  UserRow user;
  user.email_key = email_key(input.email);
  std::optional<UserRow> taken = co_await ok(db.read(&store::find_user_by_email, user.email_key));
  if (taken) co_return api::fail(kEmailTaken);

  user.id = new_id<UserId>();
  user.email = canonical_email(input.email).value_or(input.email);
  user.name = input.name;
  user.roles = {std::string(kUserRole)};
  user.created_at = now;
  user.updated_at = now;
  user.password_hash = co_await ok(passwords_.hash(password));
  NewSession session = new_session(user.id, caller, now);
  Result<void> inserted = co_await db.transact(&Identity::insert_account, *this, user, session);
  if (!inserted) {
    // Somebody was faster between the look-up and the commit.
    if (sql::violates(inserted.error(), sql::kUniqueViolation, "identity_users.email_key"))
      co_return api::fail(kEmailTaken);
    co_return std::unexpected(std::move(inserted.error()));
  }
  log_info("user signed up", {{"user", user.id.to_string()}, {"request_id", caller.request_id}});
  co_return grant(user, session.row.id, std::move(session.refresh_token), now);
}

Async<void> Identity::insert_account(sql::Transaction& tx, const UserRow& user, const NewSession& session) {
  co_await ok(store::insert_user(tx, user));
  co_await ok(store::insert_session(tx, session.row));
  co_await ok(store::insert_refresh_token(tx, first_token_of(session)));
}

Async<Grant> Identity::log_in(const api::Caller& caller, sql::Database& db, const LogIn& input) {
  const Time now = clock_.now();
  const std::string account = email_key(input.email);
  co_await ok(unless_throttled(throttle_.admit(account, caller.address, now), kAttemptsAtPasswords));
  std::optional<UserRow> user = co_await ok(db.read(&store::find_user_by_email, account));
  if (!user) {
    co_await ok(passwords_.verify_nothing(input.password));
    ++numbers_.log_ins_failed;
    co_return api::fail(kInvalidCredentials);
  }
  bool right = co_await ok(passwords_.verify(user->password_hash, input.password));
  if (!right) {
    ++numbers_.log_ins_failed;
    log_info("log-in with a wrong password",
             {{"user", user->id.to_string()}, {"request_id", caller.request_id}});
    co_return api::fail(kInvalidCredentials);
  }
  throttle_.succeeded(account, caller.address, now);
  if (user->disabled_at) co_return api::fail(kAccountDisabled);

  std::string rehashed;
  if (passwords_.needs_rehash(user->password_hash)) rehashed = co_await ok(passwords_.hash(input.password));
  NewSession session = new_session(user->id, caller, now);
  UserRow fresh = co_await ok(db.transact(&Identity::insert_log_in, *this, *user, rehashed, session));
  ++numbers_.log_ins;
  log_info("user logged in", {{"user", fresh.id.to_string()},
                              {"session", session.row.id.to_string()},
                              {"request_id", caller.request_id}});
  std::ignore = co_await revocation_feed_.apply(db);
  co_return grant(fresh, session.row.id, std::move(session.refresh_token), now);
}

/// The password was checked before this began: what was seen then must still be so.
Async<UserRow> Identity::insert_log_in(sql::Transaction& tx, const UserRow& seen, const std::string& rehashed,
                                       const NewSession& session) {
  std::optional<UserRow> user = co_await ok(store::find_user(tx, seen.id));
  if (!user || user->password_hash != seen.password_hash) co_return api::fail(kInvalidCredentials);
  if (user->disabled_at) co_return api::fail(kAccountDisabled);
  if (!rehashed.empty()) {
    user->password_hash = rehashed;
    co_await ok(store::update_user(tx, *user));
    ++user->version;
  }
  const Time now = session.row.created_at;
  auto ended = co_await ok(store::sessions_beyond(tx, seen.id, settings_.sessions_per_user_max - 1));
  for (SessionId id : ended) co_await ok(store::end_session(tx, id, tokens_until(now)));
  co_await ok(store::insert_session(tx, session.row));
  co_await ok(store::insert_refresh_token(tx, first_token_of(session)));
  co_return std::move(*user);
}

// ---- sessions

Async<void> Identity::log_out(const api::Caller& caller, sql::Database& db) {
  SessionId session = caller.session();
  Time until = tokens_until(clock_.now());
  co_await ok(db.transact(&store::end_session, session, until));
  log_info("user logged out", {{"user", caller.user().to_string()}, {"session", session.to_string()}});
  std::ignore = co_await revocation_feed_.apply(db);
}

Async<SessionList> Identity::sessions(const api::Caller& caller, sql::Reader& db) {
  std::vector<SessionRow> rows = co_await ok(store::list_sessions(db, caller.user(), clock_.now()));
  SessionList list;
  list.data.reserve(rows.size());
  for (SessionRow& row : rows) {
    SessionView& view = list.data.emplace_back();
    view.id = row.id;
    view.current = row.id == caller.session();
    view.address = std::move(row.address);
    view.user_agent = std::move(row.user_agent);
    view.created_at = row.created_at;
    view.last_used_at = row.last_used_at;
    view.expires_at = row.expires_at;
  }
  co_return list;
}

namespace {

/// Another's session is not there.
Async<void> end_own_session(sql::Transaction& tx, UserId user, SessionId id, Time tokens_until) {
  std::optional<SessionRow> session = co_await ok(store::find_session(tx, id));
  if (!session || session->user_id != user) co_await api::fail(kSessionNotFound);
  co_await ok(store::end_session(tx, id, tokens_until));
}

}  // namespace

Async<void> Identity::end_session(const api::Caller& caller, sql::Database& db,
                                  const api::Ref<SessionView>& input) {
  UserId user = caller.user();
  Time until = tokens_until(clock_.now());
  co_await ok(db.transact(&end_own_session, user, input->id, until));
  log_info("session ended", {{"user", user.to_string()}, {"session", input->id.to_string()}});
  std::ignore = co_await revocation_feed_.apply(db);
}

Async<void> Identity::end_other_sessions(const api::Caller& caller, sql::Database& db) {
  UserId user = caller.user();
  std::optional<SessionId> spared = caller.session();
  Time until = tokens_until(clock_.now());
  std::int64_t ended = co_await ok(db.transact(&store::end_sessions, user, spared, until));
  log_info("other sessions ended", {{"user", user.to_string()}, {"count", ended}});
  std::ignore = co_await revocation_feed_.apply(db);
}

// ---- one's own account

Async<UserView> Identity::me(const api::Caller& caller, sql::Reader& db) {
  std::optional<UserRow> user = co_await ok(store::find_user(db, caller.user()));
  if (!user) co_return api::fail(kUserNotFound);
  co_return view_of(*user);
}

Async<UserView> Identity::update_me(const api::Caller& caller, sql::Transaction& tx, const UpdateMe& input) {
  std::optional<UserRow> user = co_await ok(store::find_user(tx, caller.user()));
  if (!user) co_return api::fail(kUserNotFound);
  co_await ok(input.if_match.check(user->version));
  input.name.apply_to(user->name);
  user->updated_at = clock_.now();
  co_await ok(store::update_user(tx, *user));
  ++user->version;
  co_return view_of(*user);
}

Async<UserRow> Identity::confirm_password(const api::Caller& caller, sql::Database& db,
                                          std::string_view password) {
  UserId id = caller.user();
  std::optional<UserRow> user = co_await ok(db.read(&store::find_user, id));
  if (!user) co_return api::fail(kUserNotFound);
  const Time now = clock_.now();
  co_await ok(unless_throttled(throttle_.admit(user->email_key, caller.address, now), kAttemptsAtPasswords));
  bool right = co_await ok(passwords_.verify(user->password_hash, password));
  if (!right) co_return api::fail(kWrongPassword);
  throttle_.succeeded(user->email_key, caller.address, now);
  co_return std::move(*user);
}

Async<void> Identity::change_password(const api::Caller& caller, sql::Database& db,
                                      const ChangePassword& input) {
  UserRow user = co_await ok(confirm_password(caller, db, input.current_password));
  const std::string password = co_await ok(accept_password(input.new_password, "/new_password"));
  std::string hash = co_await ok(passwords_.hash(password));
  SessionId spared = caller.session();
  co_await ok(db.transact(&Identity::write_password, *this, user, hash, spared));
  log_info("password changed", {{"user", user.id.to_string()}, {"request_id", caller.request_id}});
  std::ignore = co_await revocation_feed_.apply(db);
}

Async<void> Identity::write_password(sql::Transaction& tx, const UserRow& seen, const std::string& hash,
                                     SessionId spared) {
  const Time now = clock_.now();
  std::optional<UserRow> user = co_await ok(store::find_user(tx, seen.id));
  if (!user || user->password_hash != seen.password_hash) co_await api::fail(kWrongPassword);
  user->password_hash = hash;
  user->updated_at = now;
  co_await ok(store::update_user(tx, *user));
  co_await ok(store::end_sessions(tx, user->id, spared, tokens_until(now)));
}

Async<void> Identity::delete_me(const api::Caller& caller, sql::Database& db, const DeleteMe& input) {
  UserRow user = co_await ok(confirm_password(caller, db, input.password));
  co_await ok(db.transact(&Identity::delete_account, *this, user));
  log_info("account deleted by its user", {{"user", user.id.to_string()}, {"request_id", caller.request_id}});
  std::ignore = co_await revocation_feed_.apply(db);
}

Async<void> Identity::delete_account(sql::Transaction& tx, const UserRow& seen) {
  std::optional<UserRow> user = co_await ok(store::find_user(tx, seen.id));
  if (!user || user->password_hash != seen.password_hash) co_await api::fail(kWrongPassword);
  co_await ok(delete_user_everywhere(tx, *user, owners_, tokens_until(clock_.now())));
}

Async<void> delete_user_everywhere(sql::Transaction& tx, const UserRow& user,
                                   std::vector<UserDataOwner*>& owners, Time tokens_until) {
  for (UserDataOwner* owner : owners) co_await ok(owner->delete_user_data(tx, user.id));
  co_await ok(store::revoke_generations(tx, user.id, user.generation + 1, tokens_until));
  co_await ok(store::delete_user(tx, user.id));
}

Result<auth::JwkSet> Identity::signing_keys() {
  return auth::jwk_set(ring_, clock_.now());
}

}  // namespace bedplate::identity
