// SPDX-License-Identifier: Apache-2.0
// The commands that carry data from one database to another: `migrate data`, and `backup` and `restore` where the
// database is not a file. All of them copy with sql/transfer/data_copy.h, which compares every value at the end.
//
// A backup of any database is a SQLite file with the same schema: it restores on either engine.
#pragma once

#include <string>

#include "bedplate/app/command_line.h"
#include "bedplate/base/result.h"

namespace bedplate::app {

class Application;

/// `migrate data --to URL`: everything from the configured database into an empty one. Interrupted, the same command
/// goes on.
Result<void> migrate_data(Application& application, const Invocation& invocation);

/// `backup FILE` of a PostgreSQL database: one snapshot, while servers go on.
Result<void> back_up_by_copy(Application& application, const std::string& url, const std::string& file);

/// The copy of `file`, a backup, is what this program made, and one that it can bring up to its own schema. Nothing of
/// the copy's rows is changed.
Result<void> check_restorable(Application& application, const std::string& copy, const std::string& file);

/// `restore FILE` into an empty PostgreSQL database.
Result<void> restore_by_copy(Application& application, const std::string& url, const std::string& file);

}  // namespace bedplate::app
