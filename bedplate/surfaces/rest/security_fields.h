// SPDX-License-Identifier: Apache-2.0
// The fields of every answer that tell browsers what not to do with it. Private header.
#pragma once

#include <string_view>

#include "bedplate/http/message/message.h"
#include "bedplate/surfaces/rest/settings.h"

namespace bedplate::api {

/// The Content-Security-Policy of what is no page.
inline constexpr std::string_view kNothingMayLoad = "default-src 'none'; frame-ancestors 'none'";

void add_security_fields(http::FieldBlock& fields, std::string_view content_security_policy,
                         const RestSettings& rest);

}  // namespace bedplate::api
