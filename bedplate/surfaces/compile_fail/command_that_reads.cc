// SPDX-License-Identifier: Apache-2.0
// expect: command<> wants a member function that takes sql::Transaction&
#include "bedplate/surfaces/compile_fail/prelude.h"

namespace bedplate::api {
Api made(Service& s) {
  return Api("s", "doc").command<&Service::read>("read", s, post("/a"), any_user());
}
}  // namespace bedplate::api
