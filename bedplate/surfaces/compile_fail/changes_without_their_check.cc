// SPDX-License-Identifier: Apache-2.0
// expect: use checked_apply_to
#include "bedplate/surfaces/compile_fail/prelude.h"

namespace bedplate::api {
struct Row {
  std::string text;
  static void never(const Row&, ObjectProblems&) {}
  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Row>("doc", {field<&Row::text>()}, check<&Row::never>);
  }
};
bool change(const Changes<Row>& changes, Row& row) {
  return changes.apply_to(row);
}
}  // namespace bedplate::api
