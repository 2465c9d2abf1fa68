// SPDX-License-Identifier: Apache-2.0
// What an operator can set about running operations: sections `rate_limit` and `idempotency`.
#pragma once

#include <cstdint>

#include "bedplate/describe/describe.h"

namespace bedplate::api {

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
