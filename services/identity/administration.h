// SPDX-License-Identifier: Apache-2.0
// What an operator does to accounts, from the command line beside a server that runs, or from a program of
// his own.
//
//   Administration admin(db, settings, clock, passwords);
//   co_await ok(admin.grant("ada@example.com", "admin"));
//
// Every change takes effect on running servers within a second: tokens of the old rights are refused (see
// Identity::keep_current()), and whoever holds one refreshes, or logs in again.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/auth/password.h"
#include "bedplate/base/time.h"
#include "bedplate/sql/database.h"
#include "services/identity/api.h"
#include "services/identity/settings.h"
#include "services/identity/store.h"

namespace bedplate::identity {

/// One coroutine at a time; on a loop. Errors: `user_not_found`, which names the address, `unknown_role`, and those of
/// the database.
class Administration {
 public:
  /// All outlive it.
  Administration(sql::Database& db, const IdentitySettings& settings, const Clock& clock,
                 auth::PasswordHasher& passwords)
      : db_(db), settings_(settings), clock_(clock), passwords_(passwords) {}

  /// As Identity::add_data_owner(): remove() needs the same owners.
  void add_data_owner(UserDataOwner& owner) { owners_.push_back(&owner); }

  /// Adds or takes away a role ("admin"). What is so already is left as it is.
  Async<void> grant(std::string email, std::string role);
  Async<void> revoke(std::string email, std::string role);
  /// Sets a random password, ends all sessions, and answers the password: show it once, keep it nowhere.
  Async<std::string> reset_password(std::string email);
  /// Nobody logs in to a disabled account; its sessions end.
  Async<void> disable(std::string email);
  Async<void> enable(std::string email);
  /// Deletes the account and everything that belongs to it.
  Async<void> remove(std::string email);

  /// Makes an account with the role `user`; answers its random password. `email_taken` when there is one.
  Async<std::string> create(std::string email, std::optional<std::string> name);
  /// The account of this address, or `user_not_found`.
  Async<UserView> find(std::string email);
  Async<std::int64_t> count_users();
  /// Accounts in the order of their addresses, a bounded number of those after this address; "" begins.
  Async<std::vector<AccountRow>> list(std::string after_email);

  /// After a restore: what was logged out or changed since the backup must not come back to life. Ends every
  /// session and drops every signing key, so that no token issued so far is good; users log in again.
  Async<void> forget_all_tokens();

 private:
  struct Change {
    std::string role_added;
    std::string role_removed;
    std::optional<bool> disabled;
    std::string password_hash;
  };

  Async<void> apply(std::string email, const Change& change);
  Async<UserId> apply_in(sql::Transaction& tx, const std::string& email, const Change& change);
  Async<UserId> remove_in(sql::Transaction& tx, const std::string& email);

  sql::Database& db_;
  const IdentitySettings& settings_;
  const Clock& clock_;
  auth::PasswordHasher& passwords_;
  std::vector<UserDataOwner*> owners_;
};

/// 100 random bits for people to type: "k7w2m-9qxtd-4hfzp-s3vbn".
std::string random_password();

}  // namespace bedplate::identity
