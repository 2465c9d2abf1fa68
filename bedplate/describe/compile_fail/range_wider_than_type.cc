// SPDX-License-Identifier: Apache-2.0
// expect: describe_error__the_range_is_wider_than_the_type
#include "bedplate/describe/describe.h"

using namespace bedplate::schema;

struct Task {
  std::uint8_t size = 0;
  static consteval auto describe() { return object<Task>("doc", {field<&Task::size>(range{0, 256})}); }
};
const auto& type = bedplate::type_of<Task>();
