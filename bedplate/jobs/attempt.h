// SPDX-License-Identifier: Apache-2.0
// Attempt: what a job may ask for beside its input: which job it is, and which attempt.
//
//   Async<void> Receipts::send(jobs::Attempt& attempt, sql::Database& db, const SendReceipt& input) {
//     request.headers.set("Idempotency-Key", attempt.key());       // the same at every attempt
//     if (mail_server_is_busy) co_await jobs::snooze(5min);
//   }
//
// It lives as long as the attempt. On the attempt's own thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "bedplate/jobs/enqueue.h"
#include "bedplate/operations/parameters.h"

namespace bedplate::jobs {

class Attempt {
 public:
  Attempt(JobId id, std::int64_t failed_before, bool last)
      : id_(id), number_(failed_before + 1), last_(last) {}

  JobId id() const { return id_; }
  /// The same at every attempt of the job, and no other job's.
  std::string key() const { return id_.to_string(); }
  /// 1 for the first. Attempts that ended by snooze() or by a stop of the process are not counted.
  std::int64_t number() const { return number_; }
  /// If it fails, the job is dead.
  bool is_last() const { return last_; }

 private:
  JobId id_;
  std::int64_t number_;
  bool last_;
};

/// Ends the attempt, what it wrote in a transaction of its own included: the job runs again after `wait` (a second at
/// least), and no attempt is spent. `co_await jobs::snooze(5min)`
std::unexpected<Error> snooze(std::chrono::seconds wait);
/// Whether an error is one.
bool is_snooze(const Error& error);

/// The error of a job that makes no sense again: `co_await jobs::never_again(error)`. The job is dead at once.
std::unexpected<Error> never_again(Error error);
/// Whether it is one.
bool is_never_again(const Error& error);

}  // namespace bedplate::jobs

template <>
struct bedplate::api::Parameter<bedplate::jobs::Attempt&>
    : bedplate::api::ExtraParameter<bedplate::jobs::Attempt> {};
