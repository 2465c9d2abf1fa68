// expect: nothing
#include "prelude.h"

struct Task {
  std::string title;
  int priority = 0;
  static consteval auto describe() {
    return object<Task>("doc", {field<&Task::title>(length{1, 2}), omit<&Task::priority>});
  }
};
const auto& type = use<Task>();
