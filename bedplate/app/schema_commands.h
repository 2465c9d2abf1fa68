// SPDX-License-Identifier: Apache-2.0
// The commands `sql`, `migrate check` and `migrate new`: what follows from the described tables of modules.
#pragma once

#include "bedplate/app/command_line.h"
#include "bedplate/base/result.h"

namespace bedplate::app {

class Application;

/// Prints the statements of the tables and the named ones: of invocation.module, or of all modules.
Result<void> print_sql(Application& application, const Invocation& invocation);
/// Compares the described tables with the database's. A failure when one is not as described.
Result<void> migrate_check(Application& application);
/// Writes the next migration of a module: see sql/migration_draft.h.
Result<void> migrate_new(Application& application, const Invocation& invocation);

}  // namespace bedplate::app
