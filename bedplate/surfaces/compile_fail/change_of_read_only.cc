// SPDX-License-Identifier: Apache-2.0
// expect: Changes: this member is not one that a client may change
#include "bedplate/surfaces/compile_fail/prelude.h"

namespace bedplate::api {
struct Row {
  std::int64_t version = 0;
  std::string text;
  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Row>("doc", {field<&Row::version>(read_only), field<&Row::text>()});
  }
};
void change(Changes<Row>& changes) {
  changes.set<&Row::version>(2);
}
}  // namespace bedplate::api
