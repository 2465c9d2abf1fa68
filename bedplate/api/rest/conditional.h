// SPDX-License-Identifier: Apache-2.0
// If-Match for operations (RFC 9110 section 13.1.1): "change it only if it is still what I saw".
//
// A strong ETag is a row's version (http/etag.h). An operation that honours If-Match has a field for it in its
// input, outside the description, and checks it where it reads the row:
//
//   struct ReplaceTask { TaskId id; std::string title; IfMatch if_match; ... omit<&ReplaceTask::if_match> ... };
//   ... .command<&Tasks::replace>(tasks, put("/v1/tasks/{id}"), if_match_into<&ReplaceTask::if_match>(), ...)
//
//   co_await ok(input.if_match.check(row.version));      // Category::precondition_failed, "version_mismatch"
//
// It knows nothing of HTTP: another surface fills it from an argument of its own.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "bedplate/base/result.h"

namespace bedplate::api {

/// The versions that a caller is willing to change. Default: any. A value; cheap to move.
class IfMatch {
 public:
  IfMatch() = default;
  /// One of these versions. An empty list matches nothing.
  explicit IfMatch(std::vector<std::int64_t> versions) : versions_(std::move(versions)), restricted_(true) {}

  /// Whether the caller asked for particular versions.
  bool restricted() const { return restricted_; }
  bool allows(std::int64_t version) const;
  /// Category::precondition_failed, code "version_mismatch", when `version` is none of those asked for.
  Result<void> check(std::int64_t version) const;

 private:
  std::vector<std::int64_t> versions_;
  bool restricted_ = false;
};

}  // namespace bedplate::api
