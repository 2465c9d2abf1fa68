// SPDX-License-Identifier: Apache-2.0
// expect: describe: this type has no description; write in the struct
#include "bedplate/describe/describe.h"

using namespace bedplate::schema;

struct Inner {
  int x = 0;
};
struct Task {
  Inner inner;
  static consteval auto describe() { return object<Task>("doc", {field<&Task::inner>()}); }
};
const auto& type = bedplate::type_of<Task>();
