// SPDX-License-Identifier: Apache-2.0
// expect: an operation takes, in this order and each only if wanted
#include "bedplate/operations/compile_fail/prelude.h"

namespace bedplate::api {
Api made(Service& s) {
  return Api("s", "doc").query<&Service::wrong_order>("wrong_order", s, get("/a"), any_user());
}
}  // namespace bedplate::api
