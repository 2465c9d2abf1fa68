// SPDX-License-Identifier: Apache-2.0
// Numerics, positions of the log and scripts, from any bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bedplate/sql/postgresql/columns.h"
#include "bedplate/sql/postgresql/script.h"
#include "bedplate/sql/postgresql/session.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bedplate::sql;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(read_postgresql_numeric(bytes));
  static_cast<void>(read_postgresql_lsn(bytes));
  std::size_t last = 0;
  for (const std::size_t start : statement_starts(bytes)) {
    if (start >= size || start < last) std::abort();
    last = start;
  }
  return 0;
}
