// SPDX-License-Identifier: Apache-2.0
// expect: describe: this rule does not apply to a field of this type
#include "bedplate/describe/describe.h"

using namespace bedplate::schema;

struct Task {
  int rank = 0;
  static consteval auto describe() { return object<Task>("doc", {field<&Task::rank>(not_blank)}); }
};
const auto& type = bedplate::type_of<Task>();
