// SPDX-License-Identifier: Apache-2.0
// Turns an operation's output into an answer. Internal to this folder.
#pragma once

#include <string>
#include <string_view>

#include "bedplate/surfaces/rest/request_context.h"

namespace bedplate::api {

/// Status, ETag, Location, page links and JSON of a success; 304 where If-None-Match names the ETag. May be called
/// again for the same exchange; the last one counts. `output` is null when the operation has none.
void write_answer(RequestContext& exchange, void* output);

/// `pattern` with its {fields} taken from a value, percent-encoded: "/v1/tasks/0192...".
std::string fill_path(std::string_view pattern, const TypeInfo& type, const void* value);

}  // namespace bedplate::api
