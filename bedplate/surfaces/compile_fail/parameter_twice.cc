// SPDX-License-Identifier: Apache-2.0
// expect: an operation takes each parameter once
#include "bedplate/surfaces/compile_fail/prelude.h"

namespace bedplate::api {
Api made(Service& s) {
  return Api("s", "doc").query<&Service::reads_and_writes>("reads_and_writes", s, get("/a"), any_user());
}
}  // namespace bedplate::api
