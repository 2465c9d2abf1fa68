// SPDX-License-Identifier: Apache-2.0
// If-Match and If-None-Match for operations (RFC 9110 section 13.1): "change it only if it is still what I saw", and
// "only if it is not this any more".
//
// A strong ETag is a row's version (http/message/etag.h). An operation that honours the two takes them with its input
// and checks them where it reads the row:
//
//   co_await ok(input.if_match.check(row.version));      // Category::precondition_failed, see check()
//
// Changes<T>, Replacement<T> and Ref<T> (input.h) have the member `if_match`. An input that is written by hand has a
// member for it outside its description, and the Api names it:
//
//   struct Rename { TaskId id; std::string title; IfMatch if_match; ... omit<&Rename::if_match> ... };
//   ... .command<&Tasks::rename>("rename", tasks, put("/v1/tasks/{id}/title"), if_match_into<&Rename::if_match>(), ...)
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

  /// None of these versions: If-None-Match.
  IfMatch& except(std::vector<std::int64_t> versions) &;
  /// No version at all, only what does not exist: `If-None-Match: *`.
  IfMatch& except_any() &;

  /// Whether the caller asked for particular versions.
  bool restricted() const { return restricted_; }
  /// Whether `version` is one of those asked for, and not one of those excepted.
  bool allows(std::int64_t version) const { return is_asked_for(version) && !is_excepted(version); }
  /// Category::precondition_failed when it does not allow `version`, with code "version_mismatch" (If-Match, which
  /// counts first) or "version_excluded" (If-None-Match). The error's subject is the version, for the answer's ETag.
  Result<void> check(std::int64_t version) const;

 private:
  bool is_asked_for(std::int64_t version) const;
  bool is_excepted(std::int64_t version) const;

  std::vector<std::int64_t> versions_;
  std::vector<std::int64_t> excepted_;
  bool restricted_ = false;
  bool excepts_any_ = false;
};

}  // namespace bedplate::api
