// SPDX-License-Identifier: Apache-2.0
#include "services/identity/revocation_feed.h"

#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/loop.h"
#include "bedplate/async/timer.h"
#include "bedplate/base/log.h"
#include "services/identity/store.h"

namespace bedplate::identity {
namespace {

using std::chrono::seconds;

constexpr std::chrono::milliseconds kRevocationsEvery{250};  // a second is what we promise
constexpr std::string_view kRevocationsTopic = "identity:revocations";

/// Fires when revocations could not be read for as long as the settings allow: they are unknown from then on.
class StalenessWatchdog final : private CoarseTimer {
 public:
  /// `patience` zero: never.
  StalenessWatchdog(Loop& loop, seconds patience, auth::Revocations& revocations)
      : CoarseTimer(loop, &StalenessWatchdog::passed), patience_(patience), revocations_(revocations) {}

  /// They were read just now.
  void renew() {
    revocations_.mark_current();
    if (patience_ > seconds(0)) arm(patience_);
  }

 private:
  static void passed(CoarseTimer& timer) {
    log_error("revocations could not be read for too long: access tokens are refused until they can");
    static_cast<StalenessWatchdog&>(timer).revocations_.mark_stale();
  }

  const seconds patience_;
  auth::Revocations& revocations_;
};

std::int64_t steady_ms() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

}  // namespace

void RevocationFeed::tell_others_through(cache::ChangeNotifier& notifier) {
  notifier_ = &notifier;
  notifier.listen(std::string(kRevocationsTopic), [this] { made_.set(); });
}

Async<void> RevocationFeed::keep_current(sql::Database& db) {
  StalenessWatchdog watchdog(*Loop::current(), age_max_, revocations_);
  watchdog.renew();
  for (bool away = false;;) {
    co_await ok(made_.wait_for(kRevocationsEvery));
    Result<void> done = co_await read(db);
    if (done) watchdog.renew();
    if (!done && !away) log_warn("revocations cannot be read", {{"code", done.error().code()}});
    if (done && away) log_info("revocations are read again");
    away = !done;
  }
}

Async<void> RevocationFeed::read(sql::Database& db) {
  Time now = clock_.now();
  std::int64_t seen = seen_.load(std::memory_order_relaxed);
  std::vector<RevocationRow> rows;
  do {
    rows = co_await ok(db.read(&store::list_revocations, seen, now));
    for (const RevocationRow& row : rows) {
      if (row.session_id) revocations_.revoke_session(*row.session_id, row.expires_at, now);
      if (row.user_id)
        revocations_.revoke_user(*row.user_id, row.generation.value_or(0), row.expires_at, now);
      seen = row.seq;
    }
    // Another loop may have read further meanwhile: only ever forwards.
    std::int64_t before = seen_.load(std::memory_order_relaxed);
    while (before < seen && !seen_.compare_exchange_weak(before, seen, std::memory_order_relaxed)) {
    }
  } while (!rows.empty());
  read_ms_.store(steady_ms(), std::memory_order_relaxed);
}

Async<void> RevocationFeed::apply(sql::Database& db) {
  const std::int64_t before = seen_.load(std::memory_order_relaxed);
  Result<void> done = co_await read(db);
  if (!done) log_warn("revocations could not be read", {{"code", done.error().code()}});
  if (notifier_ && seen_.load(std::memory_order_relaxed) != before) notifier_->notify(kRevocationsTopic);
}

double RevocationFeed::age_seconds() const {
  return static_cast<double>(steady_ms() - read_ms_.load(std::memory_order_relaxed)) / 1000;
}

}  // namespace bedplate::identity
