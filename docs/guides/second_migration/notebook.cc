// SPDX-License-Identifier: Apache-2.0
#include "notebook.h"

#include "notebook_migrations.h"  // made by bedplate_embed()

namespace notebook {

std::span<const bedplate::EmbeddedFile> migrations() {
  return notebook_migrations();
}

void add_to(bedplate::app::Application& app, std::span<const bedplate::EmbeddedFile> files) {
  app.migrations("notebook", files);
  app.tables({"notebook", {&kNotes}, {kDue}});
  app.wire([](bedplate::app::Host&) {});
}

}  // namespace notebook
