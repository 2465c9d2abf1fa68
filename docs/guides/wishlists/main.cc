// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/application.h"
#include "services/identity/module.h"
#include "wishlists.h"

int main(int argc, char** argv) {
  bedplate::app::Application app({"wishlists", "1.0.0", "Lists of wishes."});
  bedplate::identity::IdentitySettings settings;
  app.add(bedplate::identity::identity_module(settings));
  app.add(wishlists::wishlists_module());
  return app.run(argc, argv);
}
