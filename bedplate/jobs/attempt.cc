// SPDX-License-Identifier: Apache-2.0
#include "bedplate/jobs/attempt.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace bedplate::jobs {
namespace {

constexpr std::string_view kSnoozed = "job_snoozed";

// No server asks for so long a wait: where Error has a time, this is the one that never comes.
constexpr std::chrono::seconds kNever = std::chrono::hours(24 * 366 * 1000);

}  // namespace

std::unexpected<Error> snooze(std::chrono::seconds wait) {
  return std::unexpected(Error(Category::unavailable, kSnoozed, "The job is put off.")
                             .with_retry_after(std::max(wait, std::chrono::seconds(1))));
}

bool is_snooze(const Error& error) {
  return error.code() == kSnoozed;
}

std::unexpected<Error> never_again(Error error) {
  return std::unexpected(std::move(error).with_retry_after(kNever));
}

bool is_never_again(const Error& error) {
  return error.retry_after() >= kNever;
}

}  // namespace bedplate::jobs
