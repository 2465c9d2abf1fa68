// SPDX-License-Identifier: Apache-2.0
// expect: describe: this enum has no list of its values
#include "bedplate/describe/describe.h"

using namespace bedplate::schema;

enum class Status { todo, done };
struct Task {
  Status status = Status::todo;
  static consteval auto describe() { return object<Task>("doc", {field<&Task::status>()}); }
};
const auto& type = bedplate::type_of<Task>();
