// SPDX-License-Identifier: Apache-2.0
// Identity as a program takes it: accounts, sessions, tokens, and `admin` on the command line.
//
//   identity::IdentitySettings settings;                     // outlives the program
//   app.add(identity::identity_module(settings));
//
// With it come the section `identity` of the configuration, the program's authenticator, what runs beside requests,
// the commands, and what a restore must undo. Rows of users in other modules go with their accounts
// (auth::UserDataOwner).
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bedplate/app/module.h"
#include "services/identity/administration.h"
#include "services/identity/settings.h"

namespace bedplate::identity {

/// What a program can say of it beyond the settings.
struct IdentityOptions {
  /// Of password hashes. Nothing: as the settings say. The test kit's is cheap.
  std::optional<auth::PasswordCost> password_cost = {};
};

app::Module identity_module(IdentitySettings& settings, IdentityOptions options = {});

/// For tests: with settings of its own, which are the defaults, and password hashes that cost next to nothing.
app::Module identity_module_for_tests();

/// Administration of a host's accounts, with everything it refers to: for commands. Each change that it makes is
/// audited as done by `command` ("admin.grant"), on behalf of whoever runs it.
class AdminContext {
 public:
  AdminContext(app::Host& host, const IdentitySettings& settings, std::string command);
  AdminContext(const AdminContext&) = delete;
  AdminContext& operator=(const AdminContext&) = delete;
  ~AdminContext();

  Administration& admin();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace bedplate::identity
