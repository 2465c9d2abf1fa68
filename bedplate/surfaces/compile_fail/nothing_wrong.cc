// SPDX-License-Identifier: Apache-2.0
// expect: nothing
#include "bedplate/surfaces/compile_fail/prelude.h"

namespace bedplate::api {
Api made(Service& s) {
  return Api("s", "doc")
      .query<&Service::read>("read", s, get("/a/{id}"), needs("a"))
      .command<&Service::write>("write", s, post("/a"), any_user(), etag_from<&Out::version>())
      .command<&Service::forget>("forget", s, del("/a/{id}"), any_user())
      .pure<&Service::now>("now", s, get("/b"), open_to_all());
}
}  // namespace bedplate::api
