// SPDX-License-Identifier: Apache-2.0
// expect: logs_in<> names a std::string field of the output
#include "bedplate/surfaces/compile_fail/prelude.h"

namespace bedplate::api {
Api made(Service& s) {
  return Api("s", "doc").pure<&Service::now>("now", s, post("/a"), open_to_all(), logs_in<&Out::version>());
}
}  // namespace bedplate::api
