// SPDX-License-Identifier: Apache-2.0
// The server binary: the framework with identity and the task API. Read this first; everything else hangs on it.
#include "apps/tasks/api.h"
#include "apps/tasks/service.h"
#include "bedplate/app/application.h"
#include "bedplate/cache/change_notifier.h"
#include "identity_migrations.h"
#include "server/commands.h"
#include "services/identity/service.h"
#include "services/identity/settings.h"
#include "tasks_migrations.h"

using namespace bedplate;

int main(int argc, char** argv) {
  app::Application application(
      {"bedplate", BEDPLATE_VERSION, "A backend in one binary: accounts and tasks.", "Apache-2.0"});

  identity::IdentitySettings identity_settings;
  application.settings("identity", identity_settings);
  application.migrations("identity", identity::identity_migrations());
  application.migrations("tasks", tasks::tasks_migrations());

  application.wire([&](app::Host& host) -> Result<void> {
    auto key = server::sealing_key(host, identity_settings);
    if (!key) return std::unexpected(std::move(key.error()));

    auto& tasks = host.make<tasks::Tasks>(host.clock(), host.dialect());
    host.rebuilt_after_copy(tasks::kSearch.name,
                            [&] { return host.wait_for(tasks.rebuild_search(host.database())); });
    auto& identity = host.make<identity::Identity>(identity_settings, std::move(*key), host.clock());
    identity.add_data_owner(tasks);
    identity.report_to(host.metrics());
    if (cache::ChangeNotifier* notifier = host.change_notifier()) identity.tell_others_through(*notifier);
    host.authenticate_with(identity.authenticator());
    host.on_start([&] { return host.wait_for(identity.start(host.database())); });
    host.in_background("identity: revocations", [&] { return identity.keep_current(host.database()); });
    host.in_background("identity: maintenance", [&] { return identity.run_maintenance(host.database()); });

    host.serve(identity::identity_api(identity));
    host.serve(tasks::tasks_api(tasks));
    return {};
  });

  server::add_commands(application, identity_settings);
  return application.run(argc, argv);
}
