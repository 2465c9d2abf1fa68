// SPDX-License-Identifier: Apache-2.0
// The migrations of identity, for the list that main gives to sql::migrate_up().
#pragma once

#include "bedplate/sql/migrate.h"

namespace bedplate::identity {

/// Module `identity`. Before every module whose tables refer to users.
sql::MigrationSource migrations();

}  // namespace bedplate::identity
