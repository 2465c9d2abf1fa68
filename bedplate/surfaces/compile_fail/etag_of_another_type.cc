// SPDX-License-Identifier: Apache-2.0
// expect: etag_from<> names a field of the output type
#include "bedplate/surfaces/compile_fail/prelude.h"

namespace bedplate::api {
Api made(Service& s) {
  return Api("s", "doc").query<&Service::read>("read", s, get("/a"), any_user(), etag_from<&In::id>());
}
}  // namespace bedplate::api
