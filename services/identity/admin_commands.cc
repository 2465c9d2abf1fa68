// SPDX-License-Identifier: Apache-2.0
#include "services/identity/admin_commands.h"

#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "bedplate/describe/json/json.h"
#include "services/identity/module.h"

namespace bedplate::identity {
namespace {

using app::CommandSpec;
using app::Host;
using app::Module;

const app::ArgumentSpec kEmail{"EMAIL", "E-mail address of the account"};

/// One admin command: changes the account of the address given, then says what it did.
Module add_admin_command(Module module, const IdentitySettings& settings, const char* name, const char* doc,
                         std::function<Async<void>(Administration&, const std::string&)> change,
                         const char* done) {
  CommandSpec spec{.name = std::string("admin ") + name,
                   .doc = doc,
                   .arguments = {kEmail},
                   .group_doc = "Manage users (safe while the server runs)"};
  const std::string operation = std::string("admin.") + name;
  return std::move(module).cli(std::move(spec), [&settings, change, done, operation](
                                                    Host& host, std::span<const std::string> arguments) {
    AdminContext context(host, settings, operation);
    const std::string& email = arguments[0];
    Result<void> changed = host.wait_for(change(context.admin(), email));
    if (changed) std::printf("%s: %s\n", email.c_str(), done);
    return changed;
  });
}

Result<void> reset_password(Host& host, const IdentitySettings& settings, const std::string& email) {
  AdminContext context(host, settings, "admin.reset_password");
  Result<std::string> password = host.wait_for(context.admin().reset_password(email));
  if (!password) return std::unexpected(std::move(password.error()));
  std::printf("%s: the new password is %s\nIt is shown this once. Every session of the account has ended.\n",
              email.c_str(), password->c_str());
  return {};
}

void print_account(const AccountRow& account) {
  std::string roles;
  for (const std::string& role : account.roles) roles += (roles.empty() ? "" : ", ") + role;
  const std::string seen = account.last_seen_at
                               ? to_rfc3339(std::chrono::floor<std::chrono::seconds>(*account.last_seen_at))
                               : "-";
  std::printf("%-32s %-12s %-8s %s\n", account.email.c_str(), roles.c_str(),
              account.disabled_at ? "disabled" : "-", seen.c_str());
}

Result<void> list_accounts(Host& host, const IdentitySettings& settings, bool as_json) {
  AdminContext context(host, settings, "admin.list");
  if (!as_json) std::printf("%-32s %-12s %-8s %s\n", "EMAIL", "ROLES", "DISABLED", "LAST SEEN");
  std::string after;
  std::string json;
  while (true) {
    Result<std::vector<AccountRow>> accounts = host.wait_for(context.admin().list(after));
    if (!accounts) return std::unexpected(std::move(accounts.error()));
    for (const AccountRow& account : *accounts) {
      if (!as_json) {
        print_account(account);
        continue;
      }
      json.assign(after.empty() && &account == accounts->data() ? "[" : ",\n");
      to_json(json, account);
      std::fwrite(json.data(), 1, json.size(), stdout);
    }
    if (accounts->empty()) break;
    after = accounts->back().email;
  }
  if (as_json) std::puts(after.empty() ? "[]" : "]");
  return {};
}

}  // namespace

Module add_admin_commands(Module module, const IdentitySettings& settings) {
  module = add_admin_command(
      std::move(module), settings, "grant", "Make a user an administrator",
      [](Administration& admin, const std::string& email) { return admin.grant(email, "admin"); },
      "is an administrator now");
  module = add_admin_command(
      std::move(module), settings, "revoke", "Make an administrator an ordinary user",
      [](Administration& admin, const std::string& email) { return admin.revoke(email, "admin"); },
      "is no longer an administrator");
  module = add_admin_command(
      std::move(module), settings, "disable", "Lock an account and end its sessions",
      [](Administration& admin, const std::string& email) { return admin.disable(email); }, "disabled");
  module = add_admin_command(
      std::move(module), settings, "enable", "Unlock an account",
      [](Administration& admin, const std::string& email) { return admin.enable(email); }, "enabled");
  module = add_admin_command(
      std::move(module), settings, "delete", "Delete an account and everything that belongs to it",
      [](Administration& admin, const std::string& email) { return admin.remove(email); }, "deleted");
  return std::move(module)
      .cli({.name = "admin list",
            .doc = "List the users with their roles, whether they are disabled, and when they were last seen",
            .flags = {{"--json", "As a JSON array"}}},
           [&settings](Host& host, std::span<const std::string> arguments) {
             return list_accounts(host, settings, !arguments.empty());
           })
      .cli({"admin reset-password", "Set a random password, show it once, and end all sessions", {kEmail}},
           [&settings](Host& host, std::span<const std::string> arguments) {
             return reset_password(host, settings, arguments[0]);
           });
}

}  // namespace bedplate::identity
