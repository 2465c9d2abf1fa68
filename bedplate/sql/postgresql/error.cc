// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/postgresql/error.h"

#include <algorithm>
#include <string>
#include <utility>

#include "bedplate/base/log.h"
#include "bedplate/sql/error.h"

namespace bedplate::sql {
namespace {

std::string_view field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text ? text : "";
}

std::string_view state_of(const PGresult* result) {
  return field(result, PG_DIAG_SQLSTATE);
}

// "Key (shop, number)=(1, 7) already exists." of table orders -> "orders.shop, orders.number". The words
// around the parentheses differ with the server's language, the parentheses do not. Of an index over
// expressions, or where the server may not show the key, the constraint's name.
std::string columns_of(const PGresult* result) {
  const std::string_view table = field(result, PG_DIAG_TABLE_NAME);
  const std::string_view detail = field(result, PG_DIAG_MESSAGE_DETAIL);
  const std::size_t open = detail.find('(');
  const std::size_t close = detail.find(")=(");
  const std::string name(field(result, PG_DIAG_CONSTRAINT_NAME));
  if (open == std::string_view::npos || close == std::string_view::npos || close <= open) return name;
  std::string_view columns = detail.substr(open + 1, close - open - 1);
  if (columns.find('(') != std::string_view::npos || columns.find("::") != std::string_view::npos)
    return name;
  std::string subject;
  while (!columns.empty()) {
    const std::size_t comma = std::min(columns.find(", "), columns.size());
    if (!subject.empty()) subject += ", ";
    subject.append(table).append(".").append(columns.substr(0, comma));
    columns.remove_prefix(std::min(comma + 2, columns.size()));
  }
  return subject;
}

Error unique_violation(const PGresult* result) {
  return Error(Category::conflict, kUniqueViolation, "A value that must be unique is already taken.")
      .with_subject(columns_of(result));
}

Error foreign_key_violation(const PGresult* result) {
  return Error(Category::conflict, kForeignKeyViolation,
               "It refers to what is missing, or is still referred to.")
      .with_subject(std::string(field(result, PG_DIAG_CONSTRAINT_NAME)));
}

// Class 23: constraints.
Error constraint_error(const PGresult* result, std::string_view state, std::string_view sql) {
  if (state == "23505") return unique_violation(result);
  if (state == "23503" || state == "23001") return foreign_key_violation(result);
  log_debug("a check in the database refused a value",
            {{"constraint", field(result, PG_DIAG_CONSTRAINT_NAME)}, {"sqlstate", state}, {"sql", sql}});
  if (state == "23502")
    return Error(Category::invalid, kNotNullViolation, "A value that must be given is missing.")
        .with_subject(std::string(field(result, PG_DIAG_TABLE_NAME)) + "." +
                      std::string(field(result, PG_DIAG_COLUMN_NAME)));
  if (state == "23514")
    return Error(Category::invalid, kCheckViolation, "A value is not one that can be stored.")
        .with_subject(std::string(field(result, PG_DIAG_CONSTRAINT_NAME)));
  return Error(Category::conflict, kUniqueViolation, "The database refused the change.")
      .with_subject(std::string(field(result, PG_DIAG_CONSTRAINT_NAME)));
}

// Class 22: values that do not fit. Division by zero is the statement's fault and not the value's.
Error data_error(std::string_view state, std::string_view sql) {
  log_debug("the database refused a value", {{"sqlstate", state}, {"sql", sql}});
  if (state == "22021" || state == "22P05")
    return Error(Category::invalid, kTextInvalid, "A text holds characters that cannot be stored.");
  return Error(Category::invalid, kCheckViolation, "A value is not one that can be stored.");
}

Error retry_later(std::string_view code, const char* detail) {
  return Error(Category::unavailable, code, detail).with_retry_after(std::chrono::seconds(1));
}

// Classes 53 to 58: resources, operators, the system.
Error resource_error(const PGresult* result, std::string_view state, std::string_view sql) {
  log_error("the database cannot do its work",
            {{"error", field(result, PG_DIAG_MESSAGE_PRIMARY)}, {"sqlstate", state}, {"sql", sql}});
  if (state == "53100")
    return retry_later(kStorageFull, "There is no space left to store this. Try again later.");
  if (state.starts_with("54"))
    return Error(Category::too_large, kValueTooLarge, "A value is larger than can be stored.");
  return retry_later(kStorageError, "The storage does not work at the moment. Try again later.");
}

}  // namespace

PostgresqlFault postgresql_fault(const PGresult* result) {
  const std::string_view state = state_of(result);
  if (state.empty() || state.starts_with("08") || state == "57P01" || state == "57P02" || state == "57P03" ||
      state == "57P05" || state == "25P03")
    return PostgresqlFault::connection;
  if (state == "40001") {
    // With the same code: only a replica speaks of recovery.
    const bool replica = field(result, PG_DIAG_MESSAGE_PRIMARY).find("recovery") != std::string_view::npos;
    return replica ? PostgresqlFault::recovery : PostgresqlFault::serialization;
  }
  if (state == "40P01") return PostgresqlFault::serialization;
  if (state == "26000") return PostgresqlFault::missing_plan;
  if (state == "0A000" && field(result, PG_DIAG_SOURCE_FUNCTION) == "RevalidateCachedQuery")
    return PostgresqlFault::stale_plan;
  if (state == "57014") return PostgresqlFault::timeout;
  return PostgresqlFault::statement;
}

bool postgresql_is_read_only(const PGresult* result) {
  return state_of(result) == "25006";
}

Error postgresql_error(const PGresult* result, std::string_view sql) {
  const std::string_view state = state_of(result);
  const std::string_view message = field(result, PG_DIAG_MESSAGE_PRIMARY);
  if (state.starts_with("23")) return constraint_error(result, state, sql);
  if (state == "P0001")  // RAISE in a trigger
    return Error(Category::conflict, kCheckViolation, "The database refused the change.")
        .with_subject(std::string(message));
  if (state.starts_with("22") && state != "22012") return data_error(state, sql);
  if (state == "40001" || state == "40P01") return overtaken().error();
  if (state == "57014") return postgresql_timeout();
  if (state == "55P03" || state == "53300") {
    log_warn("the database is locked or has too many connections", {{"error", message}, {"sql", sql}});
    return retry_later(kDatabaseBusy, "The database is busy. Try again.");
  }
  // By its function, for the message may be in any language: a policy's WITH CHECK.
  if (state == "42501" && field(result, PG_DIAG_SOURCE_FUNCTION) == "ExecWithCheckOptions") {
    log_error("a statement would write a row of another tenant", {{"sql", sql}});
    return Error(Category::internal, kTenantViolation, "The server met an unexpected fault.");
  }
  if (state == "25006") {
    log_error("a statement writes through a Reader", {{"sql", sql}});
    return Error(Category::internal, kReadOnly, "The server met an unexpected fault.");
  }
  if (state == "25P02")
    return Error(Category::internal, kTransactionFailed, "The server met an unexpected fault.");
  if (postgresql_fault(result) == PostgresqlFault::connection) return postgresql_unavailable();
  if (state == "XX001" || state == "XX002") {
    log_error("the database is damaged", {{"error", message}, {"sql", sql}});
    return Error(Category::internal, kDatabaseDamaged, "The database is damaged.");
  }
  if (state.starts_with("53") || state.starts_with("54") || state.starts_with("58"))
    return resource_error(result, state, sql);
  log_error("a statement failed", {{"error", message}, {"sqlstate", state}, {"sql", sql}});
  return postgresql_fault_of_ours().with_subject(std::string(message));
}

Error postgresql_unavailable(std::chrono::milliseconds wait) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait);
  return Error(Category::unavailable, kDatabaseUnavailable,
               "The database cannot be reached at the moment. Try again later.")
      .with_retry_after(std::max(std::chrono::seconds(1), seconds));
}

Error postgresql_commit_unknown() {
  return Error(Category::unavailable, kCommitUnknown,
               "The connection to the database broke while the change was being stored: it may or may not "
               "be there. Look before you repeat it, or send an Idempotency-Key with it, which makes "
               "repeating safe.")
      .with_retry_after(std::chrono::seconds(1));
}

Error postgresql_timeout() {
  return Error(Category::timeout, kQueryTimeout, "The database took longer than it may.");
}

Error postgresql_result_too_large() {
  return Error(Category::too_large, kResultTooLarge,
               "What was asked for is more than can be returned at once.");
}

Error postgresql_closed() {
  return Error(Category::unavailable, kDatabaseClosed, "The server is shutting down.");
}

Error postgresql_fault_of_ours() {
  return Error(Category::internal, kSqlError, "The server met an unexpected fault.");
}

}  // namespace bedplate::sql
