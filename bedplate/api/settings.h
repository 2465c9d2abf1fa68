// SPDX-License-Identifier: Apache-2.0
// What an operator can set about the surfaces: sections `rest`, `rate_limit`, `cors`, `idempotency`.
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

/// Section `rate_limit`. Token buckets: `burst` units at once, refilled at `rate` units a second.
struct RateLimitSettings {
  bool enabled = true;
  double address_rate = 100;
  std::int64_t address_burst = 400;
  double principal_rate = 100;
  std::int64_t principal_burst = 400;
  std::int64_t failed_auth_cost = 20;
  std::int64_t entries_max = 131'072;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<RateLimitSettings>(
        "How many requests one caller may make",
        {
            field<&RateLimitSettings::enabled>(
                optional_with_default,
                "Limit requests per address and per signed-in caller. Log-ins are throttled either way"),
            field<&RateLimitSettings::address_rate>(limits{0.01, 1e6}, optional_with_default,
                                                    "Requests per second from one address (IPv6: one /64)"),
            field<&RateLimitSettings::address_burst>(range{1, 1'000'000}, optional_with_default,
                                                     "Burst size of one address, in requests"),
            field<&RateLimitSettings::principal_rate>(limits{0.01, 1e6}, optional_with_default,
                                                      "Requests per second of one signed-in caller"),
            field<&RateLimitSettings::principal_burst>(range{1, 1'000'000}, optional_with_default,
                                                       "Burst size of one signed-in caller, in requests"),
            field<&RateLimitSettings::failed_auth_cost>(
                range{1, 1000}, optional_with_default,
                "Rate-limit units charged to the address for an invalid token"),
            field<&RateLimitSettings::entries_max>(range{1024, 16'777'216}, optional_with_default,
                                                   "Callers remembered at the same time; 16 bytes each"),
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

/// Section `idempotency`.
struct IdempotencySettings {
  std::int64_t ttl_seconds = 86'400;
  std::int64_t answer_size_max = 65'536;
  std::int64_t keys_max = 100'000;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<IdempotencySettings>(
        "How long commands with an Idempotency-Key are remembered",
        {
            field<&IdempotencySettings::ttl_seconds>(range{60, 31'536'000}, optional_with_default,
                                                     "How long a key and its answer are kept"),
            field<&IdempotencySettings::answer_size_max>(range{0, 16'777'216}, optional_with_default,
                                                         "Bytes of an answer kept for a replay; of a larger "
                                                         "one only the fact that it was given is kept"),
            field<&IdempotencySettings::keys_max>(
                range{2, 1'000'000'000}, optional_with_default,
                "Keys of one caller that are kept at the same time, about, as each "
                "process counts them; a new one beyond that is answered 429"),
        });
  }
};

}  // namespace bedplate::api
