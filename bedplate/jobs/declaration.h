// SPDX-License-Identifier: Apache-2.0
// What a module says of a job beside its function: see app::Module::job().
//
//   .job<&Receipts::send>(kSendReceipt, jobs::attempts(8), jobs::backoff(2s, 1h),
//                         jobs::timeout(30s))
//
// Without options: 10 attempts, 5 s to 1 h between them, 60 s each.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/time.h"

namespace bedplate::jobs {

using std::chrono::milliseconds;

/// A kind of job, as the workers know it.
struct Declaration {
  std::string name;  ///< of the operation: "orders.send_receipt"
  std::string queue;
  std::int64_t attempts = 10;
  milliseconds backoff_base = std::chrono::seconds(5);
  milliseconds backoff_max = std::chrono::hours(1);
  milliseconds timeout = std::chrono::seconds(60);
  std::vector<std::string> former_names;
};

template <class O>
concept JobOption = requires(const O& option, Declaration& declaration) { option.apply_to_job(declaration); };

namespace detail {
template <class F>
struct Option {
  F apply_to_job;
};
template <class F>
Option(F) -> Option<F>;
}  // namespace detail

/// How often it is tried, 1 to 100. Then it is dead, until somebody retries it by hand.
inline auto attempts(std::int64_t most) {
  return detail::Option{[most](Declaration& job) { job.attempts = most < 1 ? 1 : most > 100 ? 100 : most; }};
}
/// How long it waits after a failure: `base`, then twice as long each time, up to `most`; of that half to all, at
/// random. What a failure says itself (Error::retry_after()) wins, if it is longer.
inline auto backoff(milliseconds base, milliseconds most) {
  return detail::Option{[base, most](Declaration& job) {
    job.backoff_base = base;
    job.backoff_max = most;
  }};
}
/// How long one attempt may take; it is cancelled then, and has failed with `timeout`.
inline auto timeout(milliseconds most) {
  return detail::Option{[most](Declaration& job) { job.timeout = most; }};
}
/// Jobs that were enqueued under this name, "orders.mail_receipt", run too: for a kind that was renamed.
inline auto formerly(std::string_view name) {
  return detail::Option{[name](Declaration& job) { job.former_names.emplace_back(name); }};
}

/// The wait after the failed attempt `number` (1 for the first), for a random number of 0 to 1.
milliseconds backoff_after(const Declaration& job, std::int64_t number, double random);

}  // namespace bedplate::jobs
