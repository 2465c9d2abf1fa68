// SPDX-License-Identifier: Apache-2.0
// expect: describe: this rule inside each\(\) does not apply to the items
#include "bedplate/describe/describe.h"

using namespace bedplate::schema;

struct Task {
  std::vector<int> sizes;
  static consteval auto describe() { return object<Task>("doc", {field<&Task::sizes>(each(pattern("x")))}); }
};
const auto& type = bedplate::type_of<Task>();
