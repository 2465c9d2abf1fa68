// SPDX-License-Identifier: Apache-2.0
// expect: a_sunset_comes_after_the_deprecation
#include "bedplate/surfaces/compile_fail/prelude.h"

namespace bedplate::api {
Api made(Service& s) {
  return Api("s", "doc")
      .query<&Service::read>("read", s, get("/a"), any_user(),
                             deprecated("2026-01-01T00:00:00Z", "2025-12-31T00:00:00Z"));
}
}  // namespace bedplate::api
