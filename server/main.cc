// SPDX-License-Identifier: Apache-2.0
// The server binary: the framework with identity and the task API. Read this first; everything else hangs on it.
#include "apps/tasks/api.h"
#include "bedplate/app/application.h"
#include "server/demo.h"
#include "services/identity/module.h"

using namespace bedplate;

int main(int argc, char** argv) {
  app::Application application(
      {"bedplate", BEDPLATE_VERSION, "A backend in one binary: accounts and tasks.", "Apache-2.0"});

  identity::IdentitySettings identity_settings;
  application.add(identity::identity_module(identity_settings));
  application.add(tasks::tasks_module());
  server::add_demo(application, identity_settings);
  return application.run(argc, argv);
}
