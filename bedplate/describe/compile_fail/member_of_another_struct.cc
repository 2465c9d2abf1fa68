// expect: describe: this field belongs to another struct
#include "prelude.h"

struct Other {
  int x = 0;
};
struct Task {
  int x = 0;
  static consteval auto describe() { return object<Task>("doc", {field<&Other::x>()}); }
};
const auto& type = use<Task>();
