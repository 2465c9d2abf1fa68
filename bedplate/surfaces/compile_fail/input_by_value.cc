// SPDX-License-Identifier: Apache-2.0
// expect: an operation takes its input as const In&
#include "bedplate/surfaces/compile_fail/prelude.h"

namespace bedplate::api {
Api made(Service& s) {
  return Api("s", "doc").pure<&Service::by_value>("by_value", s, get("/a"), any_user());
}
}  // namespace bedplate::api
