// SPDX-License-Identifier: Apache-2.0
// The conditions of a request, If-Match and If-None-Match (RFC 9110 section 13): what the operation sees of them, and
// what a read checks against its answer. Internal to this folder.
//
// A version is an entity tag: 7 is `"7"`. An operation that changes something compares versions in its own transaction
// (operations/if_match.h).
#pragma once

#include <cstddef>
#include <string_view>

#include "bedplate/base/result.h"
#include "bedplate/base/text.h"
#include "bedplate/surfaces/rest/request_context.h"

namespace bedplate::api {

inline constexpr std::size_t kEtagSizeMax = kIntSizeMax + 2;

/// The tag of `output`, `"7"`, in `text`, which has room for kEtagSizeMax bytes; empty: it has none.
std::string_view write_etag(const Operation& operation, const void* output, char* text);

/// The route is one of GET: its conditions are about the answer.
bool is_read(const RequestContext& exchange);

/// Reads If-Match and If-None-Match into the input of an operation that compares versions. One that changes something
/// without comparing refuses a condition that may be false (RFC 9110 section 13.1: when in doubt, do not). Of a read
/// they are looked at when its answer is known.
Result<void> take_conditions(RequestContext& exchange, void* input);

/// If-Match of a read, against the answer: "version_mismatch" when it is false. Before write_answer(), which looks at
/// If-None-Match: RFC 9110 section 13.2.2 has them in this order.
Result<void> check_if_match(RequestContext& exchange, const void* output);

}  // namespace bedplate::api
