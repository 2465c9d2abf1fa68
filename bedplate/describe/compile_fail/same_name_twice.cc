// SPDX-License-Identifier: Apache-2.0
// expect: describe_error__two_fields_have_the_same_name
#include "bedplate/describe/describe.h"

using namespace bedplate::schema;

struct Task {
  std::string title;
  std::string name;
  static consteval auto describe() {
    return object<Task>("doc", {field<&Task::title, "name">(), field<&Task::name>()});
  }
};
const auto& type = bedplate::type_of<Task>();
