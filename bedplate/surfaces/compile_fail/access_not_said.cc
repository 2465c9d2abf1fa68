// SPDX-License-Identifier: Apache-2.0
// expect: an operation says who may call it
#include "bedplate/surfaces/compile_fail/prelude.h"

namespace bedplate::api {
Api made(Service& s) {
  return Api("s", "doc").query<&Service::read>("read", s, get("/a"));
}
}  // namespace bedplate::api
