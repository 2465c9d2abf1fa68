// Maintenance: a connection of its own for migrations, which blocks. Drivers implement it; migrate.h uses it.
#pragma once

#include <cstdint>
#include <string_view>

#include "bedplate/base/result.h"
#include "bedplate/sql/session.h"

namespace bedplate::sql {

enum class Dialect : std::uint8_t { sqlite, postgresql };

/// One thread at a time.
class Maintenance {
 public:
  Maintenance() = default;
  Maintenance(const Maintenance&) = delete;
  Maintenance& operator=(const Maintenance&) = delete;
  virtual ~Maintenance() = default;

  virtual Dialect dialect() const = 0;
  /// Opens a transaction that only one runner at a time can hold; waits for another's end, within limits.
  virtual Result<void> begin() = 0;
  /// Refuses when a foreign key is left without its row.
  virtual Result<void> commit() = 0;
  virtual void rollback() = 0;
  /// Runs every statement of a script in the open transaction. The error's subject has the engine's words and
  /// the line: "line 3: no such table: users".
  virtual Result<void> run_script(std::string_view script) = 0;
  /// For single statements. They are done when start() returns.
  virtual Session& session() = 0;
};

}  // namespace bedplate::sql
