// SPDX-License-Identifier: Apache-2.0
// expect: an operation returns Async<Out>; a pure one may return Result<Out>
#include "bedplate/surfaces/compile_fail/prelude.h"

namespace bedplate::api {
Api made(Service& s) {
  return Api("s", "doc").pure<&Service::plain>("plain", s, get("/a"), any_user());
}
}  // namespace bedplate::api
