// SPDX-License-Identifier: Apache-2.0
#include "bedplate/api/rest/conditional.h"

#include <algorithm>

namespace bedplate::api {

bool IfMatch::allows(std::int64_t version) const {
  return !restricted_ || std::ranges::find(versions_, version) != versions_.end();
}

Result<void> IfMatch::check(std::int64_t version) const {
  if (allows(version)) return {};
  return fail(Category::precondition_failed, "version_mismatch",
              "It has changed since you read it. Read it again and repeat your change on the new version.");
}

}  // namespace bedplate::api
