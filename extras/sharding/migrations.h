// SPDX-License-Identifier: Apache-2.0
// The tables that sharding needs: those of the directory in one database, those of a shard in each.
//
//   sql::MigrationSource directory{"sharding_directory", sharding::directory_migrations()};
//   sql::MigrationSource shard{"sharding", sharding::shard_migrations()};
#pragma once

#include <span>

#include "bedplate/base/embedded.h"

namespace bedplate::sharding {

std::span<const EmbeddedFile> directory_migrations();
std::span<const EmbeddedFile> shard_migrations();

}  // namespace bedplate::sharding
