// SPDX-License-Identifier: Apache-2.0
// UserDataOwner: a service that keeps rows of users. When an account is deleted, so are they, in the same transaction,
// whether the user asked for it or an operator did on the command line.
//
//   class Notes final : public auth::UserDataOwner {
//     Async<void> delete_user_data(sql::Transaction& tx, auth::UserId user) override {
//       co_await ok(tx.run("DELETE FROM notes WHERE owner = $1", user));
//     }
//   };
//
// app::Module finds the services that derive from it; nothing has to be said.
#pragma once

#include "bedplate/async/async.h"
#include "bedplate/auth/principal.h"

namespace bedplate::sql {
class Transaction;
}

namespace bedplate::auth {

class UserDataOwner {
 public:
  virtual ~UserDataOwner() = default;
  /// Deletes all of this user's rows. Runs inside a transaction, so it may run more than once.
  virtual Async<void> delete_user_data(sql::Transaction& transaction, UserId user) = 0;
};

}  // namespace bedplate::auth
