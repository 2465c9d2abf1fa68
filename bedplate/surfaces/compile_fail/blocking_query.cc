// SPDX-License-Identifier: Apache-2.0
// expect: an operation that uses the database is a coroutine
#include "bedplate/surfaces/compile_fail/prelude.h"

namespace bedplate::api {
Api made(Service& s) {
  return Api("s", "doc").query<&Service::blocks>("blocks", s, get("/a"), any_user());
}
}  // namespace bedplate::api
