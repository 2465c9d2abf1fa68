// SPDX-License-Identifier: Apache-2.0
// expect: describe: this field belongs to another struct
#include "bedplate/describe/describe.h"

using namespace bedplate::schema;

struct Other {
  int x = 0;
};
struct Task {
  int x = 0;
  static consteval auto describe() { return object<Task>("doc", {field<&Other::x>()}); }
};
const auto& type = bedplate::type_of<Task>();
