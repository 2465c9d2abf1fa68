// SPDX-License-Identifier: Apache-2.0
// expect: nothing
#include "bedplate/describe/describe.h"

using namespace bedplate::schema;

struct Task {
  std::string title;
  int priority = 0;
  static consteval auto describe() {
    return object<Task>("doc", {field<&Task::title>(length{1, 2}), omit<&Task::priority>});
  }
};
const auto& type = bedplate::type_of<Task>();
