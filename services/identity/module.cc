// SPDX-License-Identifier: Apache-2.0
#include "services/identity/module.h"

#include "bedplate/app/command_caller.h"
#include "bedplate/cache/change_notifier.h"
#include "bedplate/execution/hooked_database.h"
#include "identity_migrations.h"
#include "services/identity/admin_commands.h"
#include "services/identity/api.h"
#include "services/identity/service.h"

namespace bedplate::identity {
namespace {

Result<std::unique_ptr<Identity>> make_identity(app::Host& host, const IdentitySettings& settings,
                                                const IdentityOptions& options) {
  Result<auth::SealingKey> key = host.sealing_key();
  if (!key) return std::unexpected(std::move(key.error()));
  if (options.password_cost)
    return std::make_unique<Identity>(settings, std::move(*key), host.clock(), *options.password_cost);
  return std::make_unique<Identity>(settings, std::move(*key), host.clock());
}

/// What a host does with it beside serving its operations.
void run_in(app::Host& host, Identity& identity) {
  identity.report_to(host.metrics());
  if (cache::ChangeNotifier* notifier = host.change_notifier()) identity.tell_others_through(*notifier);
  host.authenticate_with(identity.authenticator());
  host.on_start([&host, &identity] {
    for (auth::UserDataOwner* owner : host.user_data_owners()) identity.add_data_owner(*owner);
    identity.grant_declared_scopes(host.declared_scopes(app::for_users),
                                   host.declared_scopes(app::for_admins));
    return host.wait_for(identity.start(host.database()));
  });
  host.in_background("identity: revocations", [&] { return identity.keep_current(host.database()); });
  host.in_background("identity: maintenance", [&] { return identity.run_maintenance(host.database()); });
}

}  // namespace

app::Module identity_module(IdentitySettings& settings, IdentityOptions options) {
  app::Module module =
      app::Module("identity", "Accounts, sessions and tokens")
          .migrations(identity_migrations())
          .settings("identity", settings)
          .key_file(settings.key_file)
          .scopes({kAccountScope}, app::for_users)
          .scopes({kAdminScope}, app::for_admins)
          .service<Identity>([&settings, options](app::Host& host) -> Result<std::unique_ptr<Identity>> {
            auto identity = make_identity(host, settings, options);
            if (identity) run_in(host, **identity);
            return identity;
          })
          .operations(identity_api())
          .after_restore([&settings](app::Host& host) {
            AdminContext context(host, settings, "restore");
            return host.wait_for(context.admin().forget_all_tokens());
          });
  return add_admin_commands(std::move(module), settings);
}

app::Module identity_module_for_tests() {
  auto settings = std::make_shared<IdentitySettings>();
  return identity_module(*settings, {auth::PasswordCost::worthless_for_tests()}).wire([settings](app::Host&) {
  });  // they live as long as the module
}

struct AdminContext::Parts {
  Parts(app::Host& host, const IdentitySettings& settings, std::string name)
      : command(std::move(name)),
        commit(command, caller.caller()),
        database(host.database(), host.commit_hooks(), commit),
        passwords(auth::PasswordCost(static_cast<std::uint32_t>(settings.password_memory_kib),
                                     static_cast<std::uint32_t>(settings.password_passes)),
                  {.threads = 1, .queue_max = 8}),
        admin(database, settings, host.clock(), passwords) {
    for (auth::UserDataOwner* owner : host.user_data_owners()) admin.add_data_owner(*owner);
  }

  const std::string command;
  const app::CommandCaller caller;
  const api::Commit commit;
  api::HookedDatabase database;
  auth::PasswordHasher passwords;
  Administration admin;
};

AdminContext::AdminContext(app::Host& host, const IdentitySettings& settings, std::string command)
    : parts_(std::make_unique<Parts>(host, settings, std::move(command))) {}
AdminContext::~AdminContext() = default;

Administration& AdminContext::admin() {
  return parts_->admin;
}

}  // namespace bedplate::identity
