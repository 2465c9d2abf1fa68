// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/operations_commands.h"

#include <string>

#include "bedplate/app/application.h"
#include "bedplate/app/operations.h"
#include "bedplate/app/process.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/http/client.h"
#include "bedplate/surfaces/rest/health_routes.h"

namespace bedplate::app {
namespace {

std::unexpected<Error> not_an_answer(std::string_view path, int status) {
  return fail(Category::unavailable, "no_server",
              "There is a server at the address of /healthz and /metrics, but it answers " +
                  std::string(path) + " with status " + std::to_string(status) + ".");
}

}  // namespace

Result<void> print_metrics(const Application& application) {
  auto answer = ask_operations(application.host_settings(), "/metrics");
  if (!answer) return std::unexpected(std::move(answer.error()));
  if (answer->status != 200) return not_an_answer("/metrics", answer->status);
  print_line(answer->body);
  return {};
}

Result<void> print_health(const Application& application) {
  auto answer = ask_operations(application.host_settings(), "/healthz");
  if (!answer) return std::unexpected(std::move(answer.error()));
  auto report = from_json<api::HealthReportView>(answer->body);
  if (!report) return not_an_answer("/healthz", answer->status);
  print_line(answer->body);
  if (answer->status == 200) return {};
  std::string failing;
  for (const api::HealthCheckView& check : report->checks)
    if (check.status == "fail") failing += (failing.empty() ? "" : ", ") + check.name;
  return fail(Category::unavailable, "unhealthy", "These checks fail: " + failing + ".");
}

}  // namespace bedplate::app
