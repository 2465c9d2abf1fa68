// SPDX-License-Identifier: Apache-2.0
// expect: times_are_rfc_3339_such_as_2026_11_21T10_00_00Z
#include "bedplate/surfaces/compile_fail/prelude.h"

namespace bedplate::api {
Api made(Service& s) {
  return Api("s", "doc").query<&Service::read>("read", s, get("/a"), any_user(), deprecated("soon"));
}
}  // namespace bedplate::api
