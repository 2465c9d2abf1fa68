// SPDX-License-Identifier: Apache-2.0
// expect: api::Ref<T>: no field of T has the rule `key`
#include "bedplate/surfaces/compile_fail/prelude.h"

namespace bedplate::api {
const TypeInfo& type = type_of<Ref<Out>>();
}  // namespace bedplate::api
