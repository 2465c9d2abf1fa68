// SPDX-License-Identifier: Apache-2.0
#include "bedplate/operations/if_match.h"

#include <algorithm>
#include <string>

namespace bedplate::api {
namespace {

bool contains(const std::vector<std::int64_t>& versions, std::int64_t version) {
  return std::ranges::find(versions, version) != versions.end();
}

std::unexpected<Error> refused(std::string_view code, std::string detail, std::int64_t version) {
  return std::unexpected(
      Error(Category::precondition_failed, code, std::move(detail)).with_subject(std::to_string(version)));
}

}  // namespace

IfMatch& IfMatch::except(std::vector<std::int64_t> versions) & {
  excepted_ = std::move(versions);
  return *this;
}

IfMatch& IfMatch::except_any() & {
  excepts_any_ = true;
  return *this;
}

bool IfMatch::is_asked_for(std::int64_t version) const {
  return !restricted_ || contains(versions_, version);
}

bool IfMatch::is_excepted(std::int64_t version) const {
  return excepts_any_ || contains(excepted_, version);
}

Result<void> IfMatch::check(std::int64_t version) const {
  if (!is_asked_for(version))
    return refused(
        "version_mismatch",
        "It has changed since you read it. Read it again and repeat your change on the new version.",
        version);
  if (is_excepted(version))
    return refused("version_excluded", "It exists in a version that If-None-Match excludes.", version);
  return {};
}

}  // namespace bedplate::api
