// expect: describe: std::vector<bool> has no elements to point to
#include "prelude.h"

struct Task {
  std::vector<bool> flags;
  static consteval auto describe() { return object<Task>("doc", {field<&Task::flags>()}); }
};
const auto& type = use<Task>();
