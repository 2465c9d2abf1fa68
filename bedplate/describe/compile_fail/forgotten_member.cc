// SPDX-License-Identifier: Apache-2.0
// expect: describe: a member of this struct is not in its list \(its name stands in this instantiation\)
// expect: due_at
#include "bedplate/describe/describe.h"

using namespace bedplate::schema;

struct Task {
  std::string title;
  std::optional<bedplate::Time> due_at;
  std::vector<std::string> labels;
  static consteval auto describe() {
    return object<Task>("doc", {field<&Task::title>(), field<&Task::labels>()});
  }
};
const auto& type = bedplate::type_of<Task>();
