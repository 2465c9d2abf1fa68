// SPDX-License-Identifier: Apache-2.0
// expect: describe_error__the_low_end_is_above_the_high_end
#include "bedplate/describe/describe.h"

using namespace bedplate::schema;

struct Task {
  std::string title;
  static consteval auto describe() { return object<Task>("doc", {field<&Task::title>(length{20, 10})}); }
};
const auto& type = bedplate::type_of<Task>();
