// SPDX-License-Identifier: Apache-2.0
// expect: route_parameters_are_a_whole_segment
#include "bedplate/surfaces/compile_fail/prelude.h"

namespace bedplate::api {
Api made(Service& s) {
  return Api("s", "doc").query<&Service::read>("read", s, get("/a-{id}"), any_user());
}
}  // namespace bedplate::api
