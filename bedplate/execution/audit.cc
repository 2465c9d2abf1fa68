// SPDX-License-Identifier: Apache-2.0
#include "bedplate/execution/audit.h"

#include <chrono>

#include "audit_files.h"
#include "bedplate/async/timer.h"
#include "bedplate/base/log.h"
#include "bedplate/describe/text/text_value.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/session.h"

namespace bedplate::api {
namespace {

constexpr std::string_view kInsert =
    "INSERT INTO audit_log (id, at, operation, principal_kind, principal, act, tenant_id, address, subject, "
    "request_id, outcome) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
constexpr std::string_view kSelect =
    "SELECT id, at, operation, principal_kind, principal, act, tenant_id, address, subject, request_id, "
    "outcome "
    "FROM audit_log";
// Ids are in the order of time (UUIDv7), so the oldest rows stand first in the table's own order.
constexpr std::string_view kDeleteExpired =
    "DELETE FROM audit_log WHERE id IN (SELECT id FROM audit_log WHERE id < $1 ORDER BY id LIMIT 500)";
constexpr std::int64_t kDeletedAtOnce = 500;
constexpr std::chrono::minutes kMaintenanceInterval{10};

/// The field `id` of a value, as text.
std::optional<std::string> id_in(const TypeInfo* type, const void* value) {
  if (!type || !value || type->kind != Kind::object) return std::nullopt;
  const FieldInfo* field = type->object().find("id");
  if (!field || !is_text_scalar(*field->type)) return std::nullopt;
  std::string text;
  write_text(text, *field->type, field->in(value));
  return text;
}

std::optional<std::string> subject_of(const Commit& commit) {
  if (!commit.operation) return std::nullopt;
  if (!commit.refused)
    if (std::optional<std::string> id = id_in(commit.operation->output, commit.output)) return id;
  return id_in(commit.operation->input, commit.input);
}

/// The smallest UUIDv7 (RFC 9562 section 5.7) of that time.
Uuid first_id_at(Time time) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
  Uuid id{};
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  return id;
}

}  // namespace

std::span<const EmbeddedFile> audit_migrations() {
  return audit_files();
}

Async<void> AuditLog::before_commit(const Commit& commit, sql::Transaction& transaction) {
  const auth::Principal* principal = commit.caller.principal;
  const std::string_view kind = principal ? auth::kind_name(principal->kind) : "anonymous";
  std::optional<Uuid> id;
  if (principal && principal->kind != auth::PrincipalKind::system) id = principal->user;
  std::optional<Uuid> act;
  if (principal && principal->act) act = *principal->act;
  const std::optional<Uuid> tenant = commit.caller.tenant();
  const std::optional<std::string> subject = subject_of(commit);
  const std::string_view outcome = commit.refused ? std::string_view(commit.refused->code()) : "ok";
  const Uuid row = new_uuid();
  const Time now = clock_.now();
  std::ignore =
      co_await ok(transaction.run(kInsert, row, now, commit.name, kind, id, act, tenant,
                                  commit.caller.address, subject, commit.caller.request_id, outcome));
}

Async<AuditPage> AuditLog::list(sql::Reader& db, const AuditQuery& query) const {
  sql::Params params;
  std::string where;
  const auto add = [&](std::string_view condition, std::string_view parameter) {
    where += where.empty() ? " WHERE " : " AND ";
    where.append(condition).append(parameter);
  };
  if (query.before) add("id < ", params.add(*query.before));
  if (query.operation) add("operation = ", params.add(*query.operation));
  if (query.principal) add("principal = ", params.add(*query.principal));
  const std::string text =
      std::string(kSelect) + where + " ORDER BY id DESC LIMIT " + std::to_string(query.limit + 1);
  AuditPage page;
  page.data = co_await ok(db.all<AuditEntry>(text, params));
  if (static_cast<std::int64_t>(page.data.size()) > query.limit) {
    page.data.pop_back();
    page.next_before = page.data.back().id;
  }
  co_return page;
}

namespace {
Async<std::int64_t> delete_some(sql::Transaction& tx, const Uuid& before) {
  const std::int64_t deleted = co_await ok(tx.run(kDeleteExpired, before));
  co_return deleted;
}
}  // namespace

Async<void> AuditLog::delete_expired(sql::Database& db) const {
  const Uuid before = first_id_at(clock_.now() - std::chrono::days(settings_.retention_days));
  for (;;) {
    const std::int64_t deleted = co_await ok(db.transact(&delete_some, before));
    if (deleted < kDeletedAtOnce) co_return;
  }
}

Async<void> AuditLog::run_maintenance(sql::Database& db) const {
  for (;;) {
    Result<void> done = co_await delete_expired(db);
    if (!done)
      log_warn("expired rows of the audit log could not be deleted", {{"why", done.error().detail()}});
    co_await ok(sleep_for(kMaintenanceInterval));
  }
}

}  // namespace bedplate::api
