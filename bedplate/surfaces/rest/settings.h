// SPDX-License-Identifier: Apache-2.0
// What an operator can set about REST: sections `rest` and `cors`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bedplate/describe/describe.h"

namespace bedplate::api {

/// Section `rest`.
struct RestSettings {
  bool access_log = true;
  bool docs = true;
  bool strict_transport_security = false;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<RestSettings>(
        "How operations are served over HTTP",
        {
            field<&RestSettings::access_log>(optional_with_default, "Log one line for each request"),
            field<&RestSettings::docs>(optional_with_default,
                                       "Serve /openapi.json and the reference at /docs"),
            field<&RestSettings::strict_transport_security>(
                optional_with_default,
                "Send Strict-Transport-Security; only where every client comes over TLS"),
        });
  }
};

struct CorsSettings;
/// Refuses origins that no browser sends, each with what to write in its place.
void check_origins(const CorsSettings& settings, ObjectProblems& problems);

/// Section `cors`. Empty origins: browsers of other sites get nothing.
struct CorsSettings {
  std::vector<std::string> allowed_origins;
  bool allow_null_origin = false;
  std::int64_t max_age_seconds = 600;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<CorsSettings>(
        "Which web pages of other origins may call",
        {
            field<&CorsSettings::allowed_origins>(
                length{0, 100}, each(length{1, 255}), unique, optional_with_default,
                "Origins such as https://app.example.org, or * for every one"),
            field<&CorsSettings::allow_null_origin>(optional_with_default,
                                                    "Allow the origin null as well: what sandboxed frames "
                                                    "and local files send, whoever made them"),
            field<&CorsSettings::max_age_seconds>(range{0, 86'400}, optional_with_default,
                                                  "How long a browser may keep a preflight's answer"),
        },
        check<&check_origins>);
  }
};

}  // namespace bedplate::api
