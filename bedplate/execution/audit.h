// SPDX-License-Identifier: Apache-2.0
// The audit log: who changed what, and when. One row for each transaction of an operation, and of an admin command,
// that commits; written in that transaction, so it is there exactly when the change is. No values: of the input and the
// output only the id of what it is about.
//
//   AuditLog audit(settings, clock);
//   host.commit_with(audit);
//
//   bedplate audit list --json | jq 'select(.operation == "admin.grant")'
//
// A row says: when, which operation, who (kind and id of the principal, on whose behalf, for which tenant), from where,
// the id of the thing, the request, and the outcome: "ok", or the code of the error of an operation that failed and
// kept its writes. Rows are deleted when they are older than `audit.retention_days`. Nothing else changes them; that
// somebody with the database's password could is not prevented (there is no hash chain).
//
// Thread-safe; what it is given outlives it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/embedded.h"
#include "bedplate/base/id.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/describe.h"
#include "bedplate/execution/commit_hook.h"

namespace bedplate::sql {
class Database;
class Reader;
}  // namespace bedplate::sql

namespace bedplate::api {

/// Section `audit`.
struct AuditSettings {
  bool enabled = true;
  std::int64_t retention_days = 365;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<AuditSettings>(
        "The record of who changed what",
        {
            field<&AuditSettings::enabled>(optional_with_default,
                                           "Write a row for every change, in its transaction"),
            field<&AuditSettings::retention_days>(optional_with_default, range{1, 36'500},
                                                  "Days after which a row is deleted"),
        });
  }
};

/// The table `audit_log`: module "audit" of the program's migrations.
std::span<const EmbeddedFile> audit_migrations();

inline constexpr std::string_view kAuditScope = "audit:read";

/// One row.
struct AuditEntry {
  Uuid id;
  Time at{};
  std::string operation;
  std::string principal_kind;
  std::optional<Uuid> principal;
  std::optional<Uuid> act;
  std::optional<Uuid> tenant_id;
  std::string address;
  std::optional<std::string> subject;
  std::string request_id;
  std::string outcome;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<AuditEntry>(
        "A change, and who made it",
        {
            field<&AuditEntry::id>("Names the row; later rows have larger ids"),
            field<&AuditEntry::at>("When the transaction was about to commit"),
            field<&AuditEntry::operation>("Which operation, `tasks.create`, or admin command, `admin.grant`"),
            field<&AuditEntry::principal_kind>(
                "`user`, `service_account`, `api_key`, `client`, `system` or `anonymous`"),
            field<&AuditEntry::principal>("Who; null: anonymous, or the system itself"),
            field<&AuditEntry::act>("On whose behalf, where that is somebody else"),
            field<&AuditEntry::tenant_id>("For which tenant"),
            field<&AuditEntry::address>("From where: an IP address, or `user@host` of a command"),
            field<&AuditEntry::subject>("The id of what was changed, where the operation has one"),
            field<&AuditEntry::request_id>("The X-Request-Id of the request"),
            field<&AuditEntry::outcome>("`ok`, or the code of an error that kept its writes"),
        });
  }
};

/// What to list, newest first.
struct AuditQuery {
  std::int64_t limit = 50;
  std::optional<Uuid> before;
  std::optional<std::string> operation;
  std::optional<Uuid> principal;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<AuditQuery>(
        "Which rows of the audit log",
        {
            field<&AuditQuery::limit>(range{1, 500}, optional_with_default, "Rows per page"),
            field<&AuditQuery::before>("Only rows older than the one with this id: `next_before` of a page"),
            field<&AuditQuery::operation>(length{1, 100}, "Only of this operation"),
            field<&AuditQuery::principal>("Only of this principal"),
        });
  }
};

struct AuditPage {
  std::vector<AuditEntry> data;
  std::optional<Uuid> next_before;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<AuditPage>(
        "Rows of the audit log, newest first",
        {field<&AuditPage::data>("The rows"),
         field<&AuditPage::next_before>("Give it as `before` for the rows after this page; "
                                        "null: these are the last")});
  }
};

class AuditLog final : public CommitHook {
 public:
  /// `settings` and `clock` outlive it.
  AuditLog(const AuditSettings& settings, const Clock& clock) : settings_(settings), clock_(clock) {}

  Async<void> before_commit(const Commit& commit, sql::Transaction& transaction) override;
  bool sees_refusals() const override { return true; }

  Async<AuditPage> list(sql::Reader& db, const AuditQuery& query) const;
  /// Deletes rows past their time, some in a transaction, now and then, until its scope is cancelled.
  Async<void> run_maintenance(sql::Database& db) const;
  /// One round of it.
  Async<void> delete_expired(sql::Database& db) const;

 private:
  const AuditSettings& settings_;
  const Clock& clock_;
};

}  // namespace bedplate::api
