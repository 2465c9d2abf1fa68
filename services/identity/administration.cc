// SPDX-License-Identifier: Apache-2.0
#include "services/identity/administration.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "bedplate/base/log.h"
#include "bedplate/base/random.h"
#include "bedplate/describe/validate.h"
#include "bedplate/sql/error.h"
#include "services/identity/email.h"
#include "services/identity/service.h"

namespace bedplate::identity {

std::string random_password() {
  constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";  // Crockford's: no i, l, o, u
  static_assert(kAlphabet.size() == 32);
  unsigned char bytes[20];
  random_bytes(bytes, sizeof(bytes));
  std::string text;
  for (std::size_t i = 0; i < sizeof(bytes); ++i) {
    if (i != 0 && i % 5 == 0) text += '-';
    text += kAlphabet[bytes[i] % kAlphabet.size()];
  }
  return text;
}

namespace {

std::unexpected<Error> no_user(std::string_view email) {
  return fail(kUserNotFound.category, kUserNotFound.code,
              fmt::format("There is no user with the e-mail address {}.", email));
}

}  // namespace

Async<void> Administration::grant(std::string email, std::string role) {
  if (role != kUserRole && role != kAdminRole)
    co_await fail(Category::invalid, "unknown_role", "There is no such role. Roles are: user, admin.");
  Change change;
  change.role_added = std::move(role);
  co_await ok(apply(std::move(email), change));
}

Async<void> Administration::revoke(std::string email, std::string role) {
  Change change;
  change.role_removed = std::move(role);
  co_await ok(apply(std::move(email), change));
}

Async<std::string> Administration::reset_password(std::string email) {
  std::string password = random_password();
  Change change;
  change.password_hash = co_await ok(passwords_.hash(password));
  co_await ok(apply(std::move(email), change));
  co_return password;
}

Async<void> Administration::disable(std::string email) {
  Change change;
  change.disabled = true;
  co_await ok(apply(std::move(email), change));
}

Async<void> Administration::enable(std::string email) {
  Change change;
  change.disabled = false;
  co_await ok(apply(std::move(email), change));
}

Async<void> Administration::apply(std::string email, const Change& change) {
  UserId user = co_await ok(db_.transact(&Administration::apply_in, *this, email, change));
  std::string_view what = !change.role_added.empty()        ? "role granted"
                          : !change.role_removed.empty()    ? "role revoked"
                          : !change.password_hash.empty()   ? "password reset"
                          : change.disabled.value_or(false) ? "account disabled"
                                                            : "account enabled";
  log_info("account changed by an administrator", {{"user", user.to_string()}, {"change", what}});
}

Async<UserId> Administration::apply_in(sql::Transaction& tx, const std::string& email, const Change& change) {
  const std::string key = email_key(email);
  std::optional<UserRow> user = co_await ok(store::find_user_by_email(tx, key));
  if (!user) co_return no_user(email);
  const Time now = clock_.now();
  const UserRow before = *user;
  auto has = [&](const std::string& role) {
    return std::find(user->roles.begin(), user->roles.end(), role) != user->roles.end();
  };
  if (!change.role_added.empty() && !has(change.role_added)) user->roles.push_back(change.role_added);
  std::erase(user->roles, change.role_removed);
  if (!change.password_hash.empty()) user->password_hash = change.password_hash;
  if (change.disabled == true && !user->disabled_at) user->disabled_at = now;
  if (change.disabled == false) user->disabled_at.reset();
  const bool locked_out = user->password_hash != before.password_hash || user->disabled_at.has_value();
  if (user->roles == before.roles && user->disabled_at == before.disabled_at && !locked_out)
    co_return user->id;

  ++user->generation;
  user->updated_at = now;
  co_await ok(store::update_user(tx, *user));
  co_await ok(store::revoke_generations(tx, user->id, user->generation, tokens_until(settings_, now)));
  if (locked_out) co_await ok(store::end_sessions(tx, user->id, std::nullopt, tokens_until(settings_, now)));
  co_return user->id;
}

Async<void> Administration::remove(std::string email) {
  UserId user = co_await ok(db_.transact(&Administration::remove_in, *this, email));
  log_info("account deleted by an administrator", {{"user", user.to_string()}});
}

Async<UserId> Administration::remove_in(sql::Transaction& tx, const std::string& email) {
  const std::string key = email_key(email);
  std::optional<UserRow> user = co_await ok(store::find_user_by_email(tx, key));
  if (!user) co_return no_user(email);
  co_await ok(delete_user_everywhere(tx, *user, owners_, tokens_until(settings_, clock_.now())));
  co_return user->id;
}

Async<std::string> Administration::create(std::string email, std::optional<std::string> name) {
  std::string password = random_password();
  SignUp input;
  input.email = email;
  input.password = password;
  input.name = name;
  Faults faults;
  validate(type_of<SignUp>(), &input, faults);
  if (!faults.empty()) co_return std::unexpected(std::move(faults).to_error());
  UserRow user;
  user.id = new_id<UserId>();
  user.email_key = email_key(email);
  user.email = canonical_email(email).value_or(email);
  user.name = std::move(name);
  user.roles = {std::string(kUserRole)};
  user.created_at = clock_.now();
  user.updated_at = user.created_at;
  user.password_hash = co_await ok(passwords_.hash(password));
  Result<void> inserted = co_await db_.transact(&store::insert_user, user);
  if (!inserted) {
    if (sql::violates(inserted.error(), sql::kUniqueViolation, "identity_users.email_key"))
      co_return api::fail(kEmailTaken);
    co_return std::unexpected(std::move(inserted.error()));
  }
  log_info("account made by an administrator", {{"user", user.id.to_string()}});
  co_return password;
}

Async<UserView> Administration::find(std::string email) {
  const std::string key = email_key(email);
  std::optional<UserRow> user = co_await ok(db_.read(&store::find_user_by_email, key));
  if (!user) co_return no_user(email);
  co_return view_of(*user);
}

Async<std::vector<AccountRow>> Administration::list(std::string after_email) {
  const std::string after = email_key(after_email);
  std::vector<AccountRow> accounts = co_await ok(db_.read(&store::list_accounts, after));
  co_return accounts;
}

Async<std::int64_t> Administration::count_users() {
  std::int64_t count = co_await ok(db_.read(&store::count_users));
  co_return count;
}

Async<void> Administration::forget_all_tokens() {
  co_await ok(db_.transact(&store::forget_all_tokens));
  log_info("all sessions ended and signing keys dropped");
}

}  // namespace bedplate::identity
