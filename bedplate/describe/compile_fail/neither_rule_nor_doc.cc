// expect: describe: this argument of field<>\(\) is neither a rule nor a line of doc
#include "prelude.h"

struct Task {
  std::string title;
  static consteval auto describe() { return object<Task>("doc", {field<&Task::title>(42.0)}); }
};
const auto& type = use<Task>();
