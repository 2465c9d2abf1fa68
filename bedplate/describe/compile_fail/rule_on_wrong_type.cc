// expect: describe: this rule does not apply to a field of this type
#include "prelude.h"

struct Task {
  int size = 0;
  static consteval auto describe() { return object<Task>("doc", {field<&Task::size>(length{1, 2})}); }
};
const auto& type = use<Task>();
