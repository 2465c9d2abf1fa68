// SPDX-License-Identifier: Apache-2.0
// expect: api::New<T>, Replacement<T>, Changes<T> and Ref<T> are of a described struct
#include "bedplate/surfaces/compile_fail/prelude.h"

namespace bedplate::api {
New<std::string> input;
}  // namespace bedplate::api
