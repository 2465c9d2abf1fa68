// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/access_log.h"

#include "bedplate/base/log.h"
#include "bedplate/base/text.h"

namespace bedplate::api {
namespace {

constexpr std::size_t kPathSizeMax = 256;

/// The trace that the request belongs to, spelt into `text` (32 characters); empty when it brought none.
std::string_view trace_id(const RequestContext& exchange, char* text) {
  if (!exchange.trace) return {};
  const auto& id = exchange.trace->span.trace_id;
  write_hex(text, id.data(), id.size());
  return {text, 2 * id.size()};
}

}  // namespace

void write_access_log(const RequestContext& exchange, std::int64_t duration_ns) {
  const int status = exchange.response.status();
  const LogLevel level = status >= 500 ? LogLevel::error : LogLevel::info;
  if (!log_enabled(level)) return;
  char user[36];
  if (exchange.principal) exchange.principal->user.write(user);
  char trace[32];
  log(level, "request",
      {{"method", exchange.request.method_text()},
       {"path", utf8_prefix(exchange.request.path(), kPathSizeMax)},
       {"status", status},
       {"duration_us", duration_ns / 1000},
       {"operation", exchange.endpoint ? exchange.endpoint->name : std::string_view("none")},
       {"request_id", exchange.id.view()},
       {"user", exchange.principal ? std::string_view(user, sizeof user) : std::string_view()},
       {"address", exchange.caller.address},
       {"trace_id", trace_id(exchange, trace)},
       {"idempotency", exchange.replayed() ? "replayed" : ""}});
}

}  // namespace bedplate::api
