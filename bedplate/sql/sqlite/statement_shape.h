// SPDX-License-Identifier: Apache-2.0
// What a statement writes to, and which schemas it names: as much SQL as the tenant guard has to read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bedplate::sql {

struct StatementShape {
  std::size_t target_at = 0;  ///< where the name of the written table stands
  std::string target;         ///< that name, without quotes; empty: it writes to none
  bool names_schema = false;  ///< "main." or "temp." stands somewhere
  bool replaces = false;      ///< REPLACE, or OR REPLACE
};

/// For any text; what is no SQL gives some shape.
StatementShape shape_of(std::string_view sql);

}  // namespace bedplate::sql
