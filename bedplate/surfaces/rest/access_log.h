// SPDX-License-Identifier: Apache-2.0
// The access log: one structured line for each request (setting rest.access_log).
//
//   {"time":...,"level":"info","message":"request","method":"GET","path":"/v1/tasks","status":200,"duration_us":412,
//    "operation":"tasks.list","request_id":...,"user":...,"address":...,"trace_id":...}
//
// Without `user` for callers who have not signed in, without `trace_id` for requests that bring none, and with
// "idempotency":"replayed" where the answer is one that an Idempotency-Key kept.
// Never the query string, bodies or header values: those may hold personal data and secrets.
#pragma once

#include <cstdint>

#include "bedplate/surfaces/rest/request_context.h"

namespace bedplate::api {

/// 5xx at level error, others at info.
void write_access_log(const RequestContext& exchange, std::int64_t duration_ns);

}  // namespace bedplate::api
