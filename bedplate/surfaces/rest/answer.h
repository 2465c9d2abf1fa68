// SPDX-License-Identifier: Apache-2.0
// Turns an operation's output into an answer, and the request's conditions into what the operation sees. Internal to
// this room.
#pragma once

#include "bedplate/base/result.h"
#include "bedplate/surfaces/rest/request_context.h"

namespace bedplate::api {

/// Status, ETag, Location, page links and JSON of a success; 304 where If-None-Match names the ETag. May be called
/// again for the same exchange; the last one counts. `output` is null when the operation has none.
void write_answer(RequestContext& exchange, void* output);

/// Reads If-Match and If-None-Match into the input of an operation that compares versions. One that changes something
/// without comparing refuses a condition that may be false (RFC 9110 section 13.1: when in doubt, do not). Of a read
/// they are looked at when its answer is known.
Result<void> take_conditions(RequestContext& exchange, void* input);

/// If-Match of a read, against the answer: "version_mismatch" when it is false. Before write_answer(), which looks at
/// If-None-Match: RFC 9110 section 13.2.2 has them in this order.
Result<void> check_if_match(RequestContext& exchange, const void* output);

/// `pattern` with its {fields} taken from a value, percent-encoded: "/v1/tasks/0192...".
std::string fill_path(std::string_view pattern, const TypeInfo& type, const void* value);

}  // namespace bedplate::api
