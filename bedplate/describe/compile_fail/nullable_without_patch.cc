// SPDX-License-Identifier: Apache-2.0
// expect: describe: `nullable` applies to a Patch
#include "bedplate/describe/describe.h"

using namespace bedplate::schema;

struct Task {
  std::string title;
  static consteval auto describe() { return object<Task>("doc", {field<&Task::title>(nullable)}); }
};
const auto& type = bedplate::type_of<Task>();
