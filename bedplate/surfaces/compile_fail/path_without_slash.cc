// SPDX-License-Identifier: Apache-2.0
// expect: route_paths_begin_with_a_slash
#include "bedplate/surfaces/compile_fail/prelude.h"

namespace bedplate::api {
Api made(Service& s) {
  return Api("s", "doc").query<&Service::read>("read", s, get("a"), any_user());
}
}  // namespace bedplate::api
