// SPDX-License-Identifier: Apache-2.0
// Databases for tests that are not about time: a machine that is busy with other things must not look like an engine
// that does not answer.
#pragma once

#include <chrono>
#include <cstdint>

#include "bedplate/search/fts5_tokenizer.h"
#include "bedplate/sql/drivers/open.h"
#include "tests/kits/patience_kit.h"

namespace bedplate::testing {

/// Time limits that are as they are by default become such that nothing but what is stuck reaches them.
inline sql::DatabaseOptions patient(sql::DatabaseOptions options = {}) {
  const sql::DatabaseOptions usual;
  const auto raise = [](std::int64_t& limit_ms, std::int64_t usual_ms) {
    if (limit_ms == usual_ms) limit_ms = std::chrono::milliseconds(kPatience).count();
  };
  options.sqlite.extensions.push_back(&search::register_fts5_tokenizer);
  raise(options.sqlite.read_time_max_ms, usual.sqlite.read_time_max_ms);
  raise(options.sqlite.command_time_max_ms, usual.sqlite.command_time_max_ms);
  raise(options.sqlite.busy_timeout_ms, usual.sqlite.busy_timeout_ms);
  raise(options.postgresql.connect_timeout_ms, usual.postgresql.connect_timeout_ms);
  raise(options.postgresql.read_time_max_ms, usual.postgresql.read_time_max_ms);
  raise(options.postgresql.command_time_max_ms, usual.postgresql.command_time_max_ms);
  raise(options.postgresql.lock_time_max_ms, usual.postgresql.lock_time_max_ms);
  return options;
}

}  // namespace bedplate::testing
