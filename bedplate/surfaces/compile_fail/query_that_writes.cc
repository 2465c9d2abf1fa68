// SPDX-License-Identifier: Apache-2.0
// expect: query<> wants a member function that takes sql::Reader&
#include "bedplate/surfaces/compile_fail/prelude.h"

namespace bedplate::api {
Api made(Service& s) {
  return Api("s", "doc").query<&Service::write>("write", s, get("/a"), any_user());
}
}  // namespace bedplate::api
