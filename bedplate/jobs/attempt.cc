// SPDX-License-Identifier: Apache-2.0
#include "bedplate/jobs/attempt.h"

#include <utility>

namespace bedplate::jobs {
namespace {

// No server asks for so long a wait: where Error has a time, this is the one that never comes.
constexpr std::chrono::seconds kNever = std::chrono::hours(24 * 366 * 1000);

}  // namespace

std::unexpected<Error> never_again(Error error) {
  return std::unexpected(std::move(error).with_retry_after(kNever));
}

bool is_never_again(const Error& error) {
  return error.retry_after() >= kNever;
}

}  // namespace bedplate::jobs
