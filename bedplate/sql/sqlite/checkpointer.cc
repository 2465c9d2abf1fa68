// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/sqlite/checkpointer.h"

#include <pthread.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "bedplate/base/log.h"

namespace bedplate::sql {
namespace {

constexpr std::chrono::milliseconds kLookEvery{200};
constexpr int kIdleLooks = 5;  // so many looks without a commit, and the log is copied however short it is

}  // namespace

SqliteCheckpointer::SqliteCheckpointer(SqliteShared& shared, std::unique_ptr<SqliteConnection> connection)
    : shared_(shared), connection_(std::move(connection)), thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "sql-checkpoint");
}

void SqliteCheckpointer::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  closing_.notify_all();
  if (thread_.joinable()) thread_.join();
  connection_.reset();
}

void SqliteCheckpointer::run() {
  const std::uint64_t pages_max = (shared_.options.wal_checkpoint_mib << 20) / kSqlitePageSizeBytes;
  std::uint64_t copied = 0;  // SqliteShared::commits, as of the last copy
  std::uint64_t copied_pages = 0;
  std::uint64_t seen = 0;
  int idle_looks = 0;
  std::unique_lock lock(mutex_);
  while (!closing_.wait_for(lock, kLookEvery, [this] { return closed_; })) {
    const std::uint64_t commits = shared_.commits.load(std::memory_order_acquire);
    idle_looks = commits == seen ? idle_looks + 1 : 0;
    seen = commits;
    if (commits == copied) continue;
    // The more there is to copy, the more versions of a page are passed over for the last one. (A log that is written
    // without a pause does not start over before its limit: what counts is what was not copied yet.)
    const std::uint64_t pages = shared_.wal_pages.load(std::memory_order_relaxed);
    if (pages < copied_pages) copied_pages = 0;
    if (pages - copied_pages < pages_max && idle_looks < kIdleLooks) continue;
    lock.unlock();
    copied_pages = checkpoint();
    lock.lock();
    copied = commits;
  }
}

// Passive: copies what no reader holds back, and waits for nobody. Returns how many pages of the log are copied now.
std::uint64_t SqliteCheckpointer::checkpoint() {
  std::lock_guard only(shared_.checkpointing);
  int pages = 0;
  const int code =
      sqlite3_wal_checkpoint_v2(connection_->handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, &pages);
  shared_.checkpoints.fetch_add(1, std::memory_order_relaxed);
  if (code != SQLITE_OK && code != SQLITE_BUSY)
    log_warn("the write-ahead log cannot be copied into the database",
             {{"code", code}, {"error", sqlite3_errmsg(connection_->handle())}});
  return static_cast<std::uint64_t>(std::max(pages, 0));
}

}  // namespace bedplate::sql
