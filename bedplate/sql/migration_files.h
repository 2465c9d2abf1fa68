// SPDX-License-Identifier: Apache-2.0
// The migration files of a module, read by their names for one engine. Private header.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/sql/maintenance.h"
#include "bedplate/sql/migrate.h"

namespace bedplate::sql {

struct Migration {
  std::int64_t version = 0;
  std::string name;
  std::string_view up_file;  ///< its file's name
  std::string up;            ///< its text, for this engine
  std::string_view down_file;
  std::string down;
  std::string checksum;  ///< of the file of `up`
};

/// Versions 1, 2, 3, ... in order. Category::internal `bad_migration` for a name that is not one, two files
/// for one step, a gap, a version without text for this engine, a word in braces that does not exist.
Result<std::vector<Migration>> read_migrations(const MigrationSource& source, Dialect dialect);

}  // namespace bedplate::sql
