// SPDX-License-Identifier: Apache-2.0
// RevocationFeed: what other processes and this one have revoked, read from the table identity_revocations into the
// auth::Revocations that authentication asks.
//
//   RevocationFeed feed(revocations, clock, 60s);
//   feed.tell_others_through(notifier);           // where several processes serve one database
//   co_await ok(feed.read(db));                   // at start
//   feed.keep_current(db).detach(&scope);         // on one loop, until the scope is cancelled
//   std::ignore = co_await feed.apply(db);        // after a commit that revoked something, before its answer
//
// A process polls four times a second, always on the primary, and looks at once when another one notifies it. When it
// could not read for `age_max` it marks the revocations stale: every access token is refused (503
// `revocations_unknown`) until it can read again.
//
// Thread-safe; keep_current() runs once.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "bedplate/async/async.h"
#include "bedplate/async/wake.h"
#include "bedplate/auth/revocations.h"
#include "bedplate/base/time.h"
#include "bedplate/cache/change_notifier.h"
#include "bedplate/sql/database.h"

namespace bedplate::identity {

class RevocationFeed {
 public:
  /// `revocations` and `clock` outlive it. `age_max` zero: revocations are never marked stale.
  RevocationFeed(auth::Revocations& revocations, const Clock& clock, std::chrono::seconds age_max)
      : revocations_(revocations), clock_(clock), age_max_(age_max) {}
  RevocationFeed(const RevocationFeed&) = delete;
  RevocationFeed& operator=(const RevocationFeed&) = delete;

  /// Before the first read(). `notifier` outlives it.
  void tell_others_through(cache::ChangeNotifier& notifier);

  /// Reads new revocations every quarter of a second, and when another process says that there are some; does nothing
  /// else, so that nothing else delays it. Fails only when its scope is cancelled.
  Async<void> keep_current(sql::Database& db);

  /// One round: the rows since the last one. Errors: those of the database.
  Async<void> read(sql::Database& db);

  /// read(), after a commit that made some, and notifies the other processes. A failure is logged; the next round
  /// makes up for it.
  Async<void> apply(sql::Database& db);

  /// Since the last read() that succeeded, in seconds.
  double age_seconds() const;

 private:
  auth::Revocations& revocations_;
  const Clock& clock_;
  const std::chrono::seconds age_max_;
  cache::ChangeNotifier* notifier_ = nullptr;
  Wake made_;
  std::atomic<std::int64_t> seen_{0};  ///< the highest seq applied
  std::atomic<std::int64_t> read_ms_{0};
};

}  // namespace bedplate::identity
