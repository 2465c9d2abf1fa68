// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/audit_module.h"

#include <cstdio>
#include <string>

#include "bedplate/describe/json/json.h"

namespace bedplate::app {
namespace {

using api::AuditEntry;
using api::AuditLog;
using api::AuditPage;
using api::AuditQuery;

api::Api audit_api() {
  using namespace api;
  return Api("audit", "Who changed what, and when")
      .query<&AuditLog::list>(
          "list", get("/v1/audit"), needs(kAuditScope), summary("List changes"),
          doc("Newest first. One entry for each transaction of an operation, and of an admin "
              "command, that was committed."));
}

void print(const AuditEntry& entry) {
  std::printf("%s  %-28s %-16s %-36s %s\n",
              to_rfc3339(std::chrono::floor<std::chrono::milliseconds>(entry.at)).c_str(),
              entry.operation.c_str(), entry.principal_kind.c_str(),
              entry.principal ? entry.principal->to_string().c_str() : entry.address.c_str(),
              entry.outcome.c_str());
}

Result<void> print_all(Host& host, bool as_json) {
  const api::AuditSettings settings;
  const AuditLog audit(settings, host.clock());
  AuditQuery query;
  query.limit = 500;
  bool first = true;
  for (;;) {
    Result<AuditPage> page = host.wait_for(host.database().read(&AuditLog::list, audit, query));
    if (!page) return std::unexpected(std::move(page.error()));
    for (const AuditEntry& entry : page->data) {
      if (as_json)
        std::printf("%s\n", to_json(entry).c_str());
      else
        print(entry);
      first = false;
    }
    if (!page->next_before) break;
    query.before = page->next_before;
  }
  if (first && !as_json) std::puts("Nothing was changed yet.");
  return {};
}

}  // namespace

Module audit_module(api::AuditSettings& settings) {
  return Module("audit", "Who changed what, and when")
      .migrations(api::audit_migrations())
      .settings("audit", settings)
      .scopes({api::kAuditScope}, for_admins)
      .wire([&settings](Host& host) {
        auto& audit = host.make<AuditLog>(settings, host.clock());
        if (settings.enabled) host.commit_with(audit);
        host.in_background("audit: maintenance", [&] { return audit.run_maintenance(host.database()); });
        api::Api operations = audit_api();
        operations.bind(audit);
        host.serve_to_users(std::move(operations));
      })
      .cli({.name = "audit list",
            .doc = "Print who changed what, newest first",
            .group_doc = "Read the audit log",
            .flags = {{"--json", "As JSON, an object a line"}}},
           [](Host& host, std::span<const std::string> arguments) {
             return print_all(host, !arguments.empty());
           });
}

}  // namespace bedplate::app
