// expect: describe: `nullable` applies to a Patch
#include "prelude.h"

struct Task {
  std::string title;
  static consteval auto describe() { return object<Task>("doc", {field<&Task::title>(nullable)}); }
};
const auto& type = use<Task>();
