// SPDX-License-Identifier: Apache-2.0
// expect: describe: this argument of field<>\(\) is neither a rule nor a line of doc
#include "bedplate/describe/describe.h"

using namespace bedplate::schema;

struct Task {
  std::string title;
  static consteval auto describe() { return object<Task>("doc", {field<&Task::title>(42.0)}); }
};
const auto& type = bedplate::type_of<Task>();
