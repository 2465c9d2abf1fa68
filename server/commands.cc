// SPDX-License-Identifier: Apache-2.0
#include "server/commands.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "apps/tasks/service.h"
#include "bedplate/app/host.h"
#include "bedplate/auth/password.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/json/json.h"
#include "server/demo.h"
#include "services/identity/administration.h"

namespace bedplate::server {
namespace {

using app::CommandSpec;
using app::Host;
using identity::Administration;
using identity::IdentitySettings;

/// Administration of a host's accounts, with everything it refers to.
struct AdminContext {
  tasks::Tasks tasks;
  auth::PasswordHasher passwords;
  Administration admin;

  AdminContext(Host& host, const IdentitySettings& settings)
      : tasks(host.clock(), host.dialect()),
        passwords(auth::PasswordCost(static_cast<std::uint32_t>(settings.password_memory_kib),
                                     static_cast<std::uint32_t>(settings.password_passes)),
                  {.threads = 1, .queue_max = 8}),
        admin(host.database(), settings, host.clock(), passwords) {
    admin.add_data_owner(tasks);
  }
};

const app::ArgumentSpec kEmail{"EMAIL", "E-mail address of the account"};

/// One admin command: changes the account of the address given, then says what it did.
void add_admin_command(app::Application& application, const IdentitySettings& settings, const char* name,
                       const char* doc,
                       std::function<Async<void>(Administration&, const std::string&)> change,
                       const char* done) {
  CommandSpec spec{.name = std::string("admin ") + name,
                   .doc = doc,
                   .arguments = {kEmail},
                   .group_doc = "Manage users (safe while the server runs)"};
  application.command(std::move(spec),
                      [&settings, change, done](Host& host, std::span<const std::string> arguments) {
                        AdminContext context(host, settings);
                        const std::string& email = arguments[0];
                        Result<void> changed = host.wait_for(change(context.admin, email));
                        if (changed) std::printf("%s: %s\n", email.c_str(), done);
                        return changed;
                      });
}

Result<void> reset_password(Host& host, const IdentitySettings& settings, const std::string& email) {
  AdminContext context(host, settings);
  Result<std::string> password = host.wait_for(context.admin.reset_password(email));
  if (!password) return std::unexpected(std::move(password.error()));
  std::printf("%s: the new password is %s\nIt is shown this once. Every session of the account has ended.\n",
              email.c_str(), password->c_str());
  return {};
}

void print_account(const identity::AccountRow& account) {
  std::string roles;
  for (const std::string& role : account.roles) roles += (roles.empty() ? "" : ", ") + role;
  const std::string seen = account.last_seen_at
                               ? to_rfc3339(std::chrono::floor<std::chrono::seconds>(*account.last_seen_at))
                               : "-";
  std::printf("%-32s %-12s %-8s %s\n", account.email.c_str(), roles.c_str(),
              account.disabled_at ? "disabled" : "-", seen.c_str());
}

Result<void> list_accounts(Host& host, const IdentitySettings& settings, bool as_json) {
  AdminContext context(host, settings);
  if (!as_json) std::printf("%-32s %-12s %-8s %s\n", "EMAIL", "ROLES", "DISABLED", "LAST SEEN");
  std::string after;
  std::string json;
  while (true) {
    Result<std::vector<identity::AccountRow>> accounts = host.wait_for(context.admin.list(after));
    if (!accounts) return std::unexpected(std::move(accounts.error()));
    for (const identity::AccountRow& account : *accounts) {
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

Result<identity::SealingKey> sealing_key(const Host& host, const IdentitySettings& settings) {
  if (host.purpose() == app::HostPurpose::describe) return identity::SealingKey::generate();
  const std::string file =
      settings.key_file.empty() ? host.data_directory() + "/identity.key" : settings.key_file;
  std::error_code error;
  if (host.purpose() == app::HostPurpose::command && !std::filesystem::exists(file, error))
    return fail(Category::not_found, "no_key_file",
                "There is no key file " + std::filesystem::absolute(file, error).string() +
                    ". Are --data (data.directory) and identity.key_file right? The server makes it at its "
                    "first start; this command does not.");
  if (settings.key_file.empty())
    if (auto made = app::make_data_directory(host.data_directory()); !made)
      return std::unexpected(std::move(made.error()));
  return identity::SealingKey::load_or_make(file);
}

void add_commands(app::Application& application, const IdentitySettings& settings) {
  add_admin_command(
      application, settings, "grant", "Make a user an administrator",
      [](Administration& admin, const std::string& email) { return admin.grant(email, "admin"); },
      "is an administrator now");
  add_admin_command(
      application, settings, "revoke", "Make an administrator an ordinary user",
      [](Administration& admin, const std::string& email) { return admin.revoke(email, "admin"); },
      "is no longer an administrator");
  add_admin_command(
      application, settings, "disable", "Lock an account and end its sessions",
      [](Administration& admin, const std::string& email) { return admin.disable(email); }, "disabled");
  add_admin_command(
      application, settings, "enable", "Unlock an account",
      [](Administration& admin, const std::string& email) { return admin.enable(email); }, "enabled");
  add_admin_command(
      application, settings, "delete", "Delete an account and everything that belongs to it",
      [](Administration& admin, const std::string& email) { return admin.remove(email); }, "deleted");
  application.command({.name = "admin list",
                       .doc = "List the users with their roles, whether they are disabled, and when they "
                              "were last seen",
                       .flags = {{"--json", "As a JSON array"}}},
                      [&settings](Host& host, std::span<const std::string> arguments) {
                        return list_accounts(host, settings, !arguments.empty());
                      });
  application.command(
      {"admin reset-password", "Set a random password, show it once, and end all sessions", {kEmail}},
      [&settings](Host& host, std::span<const std::string> arguments) {
        return reset_password(host, settings, arguments[0]);
      });
  application.command({.name = "demo",
                       .doc = "Create two sample users with tasks; refused where there are users already",
                       .arguments = {},
                       .makes_database = true},
                      [&settings](Host& host, std::span<const std::string>) {
                        AdminContext context(host, settings);
                        return make_demo(host, context.admin, context.tasks);
                      });
  application.after_restore([&settings](Host& host) {
    AdminContext context(host, settings);
    return host.wait_for(context.admin.forget_all_tokens());
  });
}

}  // namespace bedplate::server
