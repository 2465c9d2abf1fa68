// SPDX-License-Identifier: Apache-2.0
// expect: describe: std::vector<bool> has no elements to point to
#include "bedplate/describe/describe.h"

using namespace bedplate::schema;

struct Task {
  std::vector<bool> flags;
  static consteval auto describe() { return object<Task>("doc", {field<&Task::flags>()}); }
};
const auto& type = bedplate::type_of<Task>();
