// SPDX-License-Identifier: Apache-2.0
// Turns an operation's output into an answer, and the request's conditions into what the operation sees. Internal to
// this room.
#pragma once

#include "bedplate/api/rest/exchange.h"
#include "bedplate/base/result.h"

namespace bedplate::api {

/// Status, ETag, Location, page links and JSON of a success; 304 where If-None-Match names the ETag. May be called
/// again for the same exchange; the last one counts. `output` is null when the operation has none.
void write_answer(Exchange& exchange, void* output);

/// Reads If-Match into the input. An operation that takes no If-Match and changes something refuses a request that
/// has one (RFC 9110 section 13.1.1: when in doubt, do not).
Result<void> take_if_match(Exchange& exchange, void* input);

/// `pattern` with its {fields} taken from a value, percent-encoded: "/v1/tasks/0192...".
std::string fill_path(std::string_view pattern, const TypeInfo& type, const void* value);

}  // namespace bedplate::api
