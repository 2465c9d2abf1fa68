// SPDX-License-Identifier: Apache-2.0
#include "services/identity/migrations.h"

#include "identity_migrations.h"

namespace bedplate::identity {

sql::MigrationSource migrations() {
  return {"identity", identity_migrations()};
}

}  // namespace bedplate::identity
