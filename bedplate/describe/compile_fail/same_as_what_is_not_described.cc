// SPDX-License-Identifier: Apache-2.0
// expect: describe_error__same_as_names_a_field_that_its_struct_does_not_describe
#include "bedplate/describe/describe.h"

using namespace bedplate::schema;

struct Task {
  std::string title;
  std::string cache;
  static consteval auto describe() {
    return object<Task>("doc", {field<&Task::title>(), omit<&Task::cache>});
  }
};
struct CreateTask {
  std::string cache;
  static consteval auto describe() {
    return object<CreateTask>("doc", {field<&CreateTask::cache>(same_as<&Task::cache>)});
  }
};
const auto& type = bedplate::type_of<CreateTask>();
