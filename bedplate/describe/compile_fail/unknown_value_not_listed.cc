// SPDX-License-Identifier: Apache-2.0
// expect: describe_error__unknown_names_a_value_that_is_not_listed
#include "bedplate/describe/describe.h"

using namespace bedplate::schema;

enum class Stage { begun, other };
consteval auto describe(Stage) {
  return values("doc", {value<Stage::begun>("doc")}, unknown<Stage::other>);
}
const auto& type = bedplate::type_of<Stage>();
