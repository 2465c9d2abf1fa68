// SPDX-License-Identifier: Apache-2.0
// expect: describe: edits<> names a struct with `read_only` fields
#include "bedplate/describe/describe.h"

using namespace bedplate::schema;

struct Task {
  std::string title;
  static consteval auto describe() { return object<Task>("doc", {field<&Task::title>()}); }
};
struct PatchTask {
  std::string title;
  static consteval auto describe() {
    return object<PatchTask>("doc", {field<&PatchTask::title>()}, edits<Task>);
  }
};
const auto& type = bedplate::type_of<PatchTask>();
