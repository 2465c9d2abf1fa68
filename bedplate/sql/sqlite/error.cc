// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/sqlite/error.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "bedplate/base/log.h"
#include "bedplate/sql/error.h"

namespace bedplate::sql {
namespace {

using std::chrono::seconds;

// "UNIQUE constraint failed: users.email" -> "users.email"; "...: index 'by_name'" -> "by_name".
std::string constraint_of(sqlite3* db) {
  std::string_view message = sqlite3_errmsg(db);
  const std::size_t colon = message.find(": ");
  if (colon == std::string_view::npos) return {};
  message.remove_prefix(colon + 2);
  constexpr std::string_view kIndex = "index '";
  if (message.starts_with(kIndex) && message.ends_with("'")) {
    message.remove_prefix(kIndex.size());
    message.remove_suffix(1);
  }
  return std::string(message);
}

Error foreign_key_error() {
  return Error(Category::conflict, kForeignKeyViolation,
               "It refers to what is missing, or is still referred to.");
}

Error constraint_error(sqlite3* db, int code, std::string_view sql) {
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return Error(Category::conflict, kUniqueViolation, "A value that must be unique is already taken.")
          .with_subject(constraint_of(db));
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return foreign_key_error();
    case SQLITE_CONSTRAINT_TRIGGER:  // ON DELETE RESTRICT, or RAISE() in a trigger
      if (std::string_view(sqlite3_errmsg(db)).starts_with("FOREIGN KEY")) return foreign_key_error();
      if (std::string_view(sqlite3_errmsg(db)) == kTenantViolation) {
        log_error("a statement would write a row of another tenant", {{"sql", sql}});
        return Error(Category::internal, kTenantViolation, "The server met an unexpected fault.");
      }
      return Error(Category::conflict, kCheckViolation, "The database refused the change.")
          .with_subject(sqlite3_errmsg(db));
    case SQLITE_CONSTRAINT_CHECK:
    case SQLITE_CONSTRAINT_DATATYPE:
      log_debug("a check in the database refused a value", {{"error", sqlite3_errmsg(db)}, {"sql", sql}});
      return Error(Category::invalid, kCheckViolation, "A value is not one that can be stored.")
          .with_subject(constraint_of(db));
    case SQLITE_CONSTRAINT_NOTNULL:
      log_debug("the database refused a null", {{"error", sqlite3_errmsg(db)}, {"sql", sql}});
      return Error(Category::invalid, kNotNullViolation, "A value that must be given is missing.")
          .with_subject(constraint_of(db));
    default:
      log_error("an SQL constraint failed", {{"error", sqlite3_errmsg(db)}, {"sql", sql}});
      return Error(Category::conflict, kCheckViolation, "The database refused the change.")
          .with_subject(constraint_of(db));
  }
}

Error unavailable(std::string_view code, const char* detail) {
  return Error(Category::unavailable, code, detail).with_retry_after(seconds(1));
}

Error storage_full(sqlite3* db, std::string_view sql) {
  log_error("the disk is full", {{"error", sqlite3_errmsg(db)}, {"sql", sql}});
  return unavailable(kStorageFull, "There is no space left to store this. Try again later.");
}

// The system's reason where it has one: SQLite refuses some things by itself.
Error storage_error(sqlite3* db, int code, std::string_view sql, std::string_view file) {
  if (const char* name = db ? sqlite3_db_filename(db, "main") : nullptr; file.empty() && name) file = name;
  const int system = sqlite3_system_errno(db);
  const std::string reason = system != 0 ? std::strerror(system) : sqlite3_errmsg(db);
  log_error(
      "the database cannot read or write its files",
      {{"file", file}, {"reason", reason}, {"error", sqlite3_errmsg(db)}, {"code", code}, {"sql", sql}});
  return unavailable(kStorageError, "The storage does not work at the moment. Try again later.")
      .with_subject(std::string(file) + ": " + reason);
}

}  // namespace

Error sqlite_error(sqlite3* db, int code, std::string_view sql, std::string_view file) {
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
      return constraint_error(db, code, sql);
    case SQLITE_TOOBIG:
      return Error(Category::too_large, kValueTooLarge, "A value is larger than can be stored.");
    case SQLITE_INTERRUPT:
      return Error(Category::timeout, kQueryTimeout, "The database took longer than it may.");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      log_warn("the database is locked by someone else", {{"error", sqlite3_errmsg(db)}, {"sql", sql}});
      return unavailable(kDatabaseBusy, "The database is busy. Try again.");
    case SQLITE_FULL:
      return storage_full(db, sql);
    case SQLITE_IOERR:
      // The shared memory of the log is made with calls that tell a full disk as an error like any other.
      if (sqlite3_system_errno(db) == ENOSPC) return storage_full(db, sql);
      [[fallthrough]];
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_NOMEM:
    case SQLITE_PROTOCOL:
      return storage_error(db, code, sql, file);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      log_error("the database file is damaged, or is none",
                {{"error", sqlite3_errmsg(db)}, {"code", code}, {"sql", sql}});
      return Error(Category::internal, kDatabaseDamaged, "The database file is damaged.");
    default:
      log_error("a statement failed", {{"error", sqlite3_errmsg(db)}, {"code", code}, {"sql", sql}});
      return Error(Category::internal, kSqlError, "The server met an unexpected fault.")
          .with_subject(sqlite3_errmsg(db));
  }
}

}  // namespace bedplate::sql
