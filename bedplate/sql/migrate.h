// SPDX-License-Identifier: Apache-2.0
// Migrations: numbered SQL files that bring a schema up and down.
//
//   // EmbeddedFile: 0001_tasks.up.sql, 0001_tasks.down.sql
//   MigrationSource source{"tasks", tasks_migrations()};
//   Result<std::vector<MigrationStep>> done = migrate_up(database, std::span(&source, 1));
//
// A file is NNNN_name.up.sql or NNNN_name.down.sql. Where the engines differ in the names of types only, words in
// braces stand for both ({uuid}, {time}, ...: migration_words.h); where they differ in more, there are two files
// instead, NNNN_name.sqlite.up.sql and NNNN_name.postgresql.up.sql. Versions of a module are 1, 2, 3, ... without
// gaps. Each file runs in a transaction of its own, together with its line in the table `schema_migrations` (module,
// version, name, checksum, applied_at).
//
// Errors, all Category::conflict or internal, with a sentence for the operator: a file that was applied and
// then changed, a gap, an applied version that this program does not know (it is older than the schema), a
// file that fails (with the engine's message, its line, and the file's name). What was applied before the
// failing file stays. Two runners at once are safe: the second waits, then finds nothing to do.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/embedded.h"
#include "bedplate/base/result.h"
#include "bedplate/base/time.h"
#include "bedplate/sql/database.h"

namespace bedplate::sql {

/// The files of one module. Modules migrate in the order given: later ones may refer to tables of earlier
/// ones.
struct MigrationSource {
  std::string_view module;  ///< "tasks"; lower case letters, digits and underscores
  std::span<const EmbeddedFile> files;
};

/// One migration of one module, as the database and this program know it.
struct MigrationStep {
  std::string module;
  std::int64_t version = 0;
  std::string name;                ///< "tasks" of 0001_tasks.up.sql
  std::optional<Time> applied_at;  ///< nothing: pending
  bool changed = false;            ///< applied from another text than this program has
  bool unknown = false;            ///< applied, but this program does not have it
};

struct MigrateOptions {
  bool dry_run = false;  ///< runs everything and rolls it back
};

// All block; call them before serving, or from a thread that may wait.

/// Every migration, applied or not, in order.
Result<std::vector<MigrationStep>> migration_status(Database& database,
                                                    std::span<const MigrationSource> sources);
/// Applies what is pending. Returns what was applied.
Result<std::vector<MigrationStep>> migrate_up(Database& database, std::span<const MigrationSource> sources,
                                              MigrateOptions options = {});
/// Takes back the newest `steps` migrations of a module. Returns what was taken back.
Result<std::vector<MigrationStep>> migrate_down(Database& database, const MigrationSource& source,
                                                std::int64_t steps, MigrateOptions options = {});
/// Nothing is pending, changed or unknown; otherwise an error that says what is. For serving without
/// migrating.
Result<void> check_migrated(Database& database, std::span<const MigrationSource> sources);

}  // namespace bedplate::sql
