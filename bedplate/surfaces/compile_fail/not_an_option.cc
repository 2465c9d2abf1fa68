// SPDX-License-Identifier: Apache-2.0
// expect: an option is one of those in bedplate/operations/options.h
#include "bedplate/surfaces/compile_fail/prelude.h"

namespace bedplate::api {
Api made(Service& s) {
  return Api("s", "doc").query<&Service::read>("read", s, get("/a"), any_user(), 7);
}
}  // namespace bedplate::api
