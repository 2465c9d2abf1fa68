// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/sqlite/coalescing_wal_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <new>

#include "bedplate/base/log.h"

namespace bedplate::sql {
namespace {

// 31 frames; a longer commit takes several writes. SQLite's own layer writes no more at once, and says "full" instead.
constexpr std::size_t kBufferMax = 0x1ffff;

// The WAL as a connection has it open; in memory that SQLite allots, with the real layer's file behind it.
struct WalFile : sqlite3_file {
  std::unique_ptr<char[]> buffer;  ///< null: everything is written as it comes
  std::size_t size = 0;            ///< of what is buffered
  sqlite3_int64 offset = 0;        ///< where it belongs
  WalFile** open_as = nullptr;     ///< where the layer knows it

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  int write_now(const void* data, int count, sqlite3_int64 at) {
    return real()->pMethods->xWrite(real(), data, count, at);
  }
  /// What failed to be written stays buffered.
  int flush() {
    if (size == 0) return SQLITE_OK;
    const int code = write_now(buffer.get(), static_cast<int>(size), offset);
    if (code == SQLITE_OK) size = 0;
    return code;
  }
  bool joins(std::size_t count, sqlite3_int64 at) const {
    return at >= offset && at <= offset + static_cast<sqlite3_int64>(size) &&
           static_cast<std::size_t>(at - offset) + count <= kBufferMax;
  }
};

WalFile& wal(sqlite3_file* file) {
  return *static_cast<WalFile*>(file);
}

int close_wal(sqlite3_file* file) {
  WalFile& closing = wal(file);
  const int code = closing.real()->pMethods->xClose(closing.real());  // what is buffered was never committed
  if (closing.open_as) *closing.open_as = nullptr;
  closing.~WalFile();
  return code;
}

int write_wal(sqlite3_file* file, const void* data, int count, sqlite3_int64 at) {
  WalFile& to = wal(file);
  const auto bytes = static_cast<std::size_t>(count);
  if (!to.buffer || bytes > kBufferMax) {
    const int code = to.flush();
    return code == SQLITE_OK ? to.write_now(data, count, at) : code;
  }
  if (!to.joins(bytes, at)) {
    if (const int code = to.flush(); code != SQLITE_OK) return code;
    to.offset = at;
  }
  const auto place = static_cast<std::size_t>(at - to.offset);
  std::memcpy(to.buffer.get() + place, data, bytes);
  to.size = std::max(to.size, place + bytes);
  return SQLITE_OK;
}

int sync_wal(sqlite3_file* file, int flags) {
  WalFile& syncing = wal(file);
  const int code = syncing.flush();
  syncing.size = 0;
  return code == SQLITE_OK ? syncing.real()->pMethods->xSync(syncing.real(), flags) : code;
}

// Whatever else is asked of the file is asked of all of it.
template <auto Method>
struct Flushed;
template <class... Args, int (*sqlite3_io_methods::*Method)(sqlite3_file*, Args...)>
struct Flushed<Method> {
  static int call(sqlite3_file* file, Args... args) {
    const int code = wal(file).flush();
    sqlite3_file* real = wal(file).real();
    return code == SQLITE_OK ? (real->pMethods->*Method)(real, args...) : code;
  }
};

template <auto Method>
struct Forwarded;
template <class... Args, int (*sqlite3_io_methods::*Method)(sqlite3_file*, Args...)>
struct Forwarded<Method> {
  static int call(sqlite3_file* file, Args... args) {
    sqlite3_file* real = wal(file).real();
    return (real->pMethods->*Method)(real, args...);
  }
};

// Version 1: memory that is shared or mapped belongs to the database file.
constexpr sqlite3_io_methods kWalMethods = {
    .iVersion = 1,
    .xClose = &close_wal,
    .xRead = &Flushed<&sqlite3_io_methods::xRead>::call,
    .xWrite = &write_wal,
    .xTruncate = &Flushed<&sqlite3_io_methods::xTruncate>::call,
    .xSync = &sync_wal,
    .xFileSize = &Flushed<&sqlite3_io_methods::xFileSize>::call,
    .xLock = &Forwarded<&sqlite3_io_methods::xLock>::call,
    .xUnlock = &Forwarded<&sqlite3_io_methods::xUnlock>::call,
    .xCheckReservedLock = &Forwarded<&sqlite3_io_methods::xCheckReservedLock>::call,
    .xFileControl = &Forwarded<&sqlite3_io_methods::xFileControl>::call,
    .xSectorSize = &Forwarded<&sqlite3_io_methods::xSectorSize>::call,
    .xDeviceCharacteristics = &Forwarded<&sqlite3_io_methods::xDeviceCharacteristics>::call,
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

// The methods of the database file, which holds the WAL index: those of the real layer, but for two.
struct WatchedMethods : sqlite3_io_methods {
  const sqlite3_io_methods* real = nullptr;
  WalFile* wal = nullptr;  ///< open beside it
  std::atomic<std::uint64_t>* fallbacks = nullptr;
  bool fell_back = false;
};

WatchedMethods& watched(sqlite3_file* file) {
  return *const_cast<WatchedMethods*>(static_cast<const WatchedMethods*>(file->pMethods));
}

// A commit publishes its frames around this barrier: readers believe the new header of the index when both of its
// copies are the same, and the second is written behind the barrier. (A transaction that begins passes one too, with
// nothing buffered.)
void watched_barrier(sqlite3_file* file) {
  WatchedMethods& methods = watched(file);
  if (methods.wal && methods.wal->size > 0) {
    const int code = methods.wal->flush();
    methods.wal->buffer.reset();
    methods.wal->size = 0;
    methods.fell_back = true;
    methods.fallbacks->fetch_add(1, std::memory_order_relaxed);
    log_error(
        "SQLite published frames of its write-ahead log before it synced them; writes to the log are no "
        "longer coalesced",
        {{"sqlite", sqlite3_libversion()}, {"code", code}});
  }
  methods.real->xShmBarrier(file);
}

// With the write lock the right to append goes to somebody else, who does so behind the last commit: over what a
// transaction that was rolled back left there.
int watched_lock(sqlite3_file* file, int offset, int count, int flags) {
  constexpr int kWriteLock = 0;  // WAL_WRITE_LOCK of the WAL index's format
  WatchedMethods& methods = watched(file);
  const bool gives_up = (flags & SQLITE_SHM_UNLOCK) && (flags & SQLITE_SHM_EXCLUSIVE) && offset == kWriteLock;
  if (gives_up && methods.wal) methods.wal->size = 0;
  return methods.real->xShmLock(file, offset, count, flags);
}

}  // namespace

struct CoalescingWalVfs::Vfs : sqlite3_vfs {
  sqlite3_vfs* real = nullptr;
  std::string name;
  WatchedMethods methods;

  static int open(sqlite3_vfs* self, const char* path, sqlite3_file* file, int flags, int* flags_out) {
    Vfs& vfs = *static_cast<Vfs*>(self);
    if (flags & SQLITE_OPEN_WAL) return vfs.open_wal(path, file, flags, flags_out);
    const int code = vfs.real->xOpen(vfs.real, path, file, flags, flags_out);
    if (code == SQLITE_OK && (flags & SQLITE_OPEN_MAIN_DB)) vfs.watch(file);
    return code;
  }

  void watch(sqlite3_file* file) {
    static_cast<sqlite3_io_methods&>(methods) = *file->pMethods;
    methods.real = file->pMethods;
    if (methods.iVersion < 2 || !methods.xShmBarrier) return;  // without a WAL index: nothing is buffered
    methods.xShmBarrier = &watched_barrier;
    methods.xShmLock = &watched_lock;
    file->pMethods = &methods;
  }
  bool is_watched() const { return methods.xShmBarrier == &watched_barrier; }

  int open_wal(const char* path, sqlite3_file* file, int flags, int* flags_out) {
    auto* opened = new (file) WalFile;
    opened->pMethods = nullptr;
    const int code = real->xOpen(real, path, opened->real(), flags, flags_out);
    if (code != SQLITE_OK) {
      // What the real layer needs closed is closed here: SQLite does not know of it.
      if (opened->real()->pMethods) opened->real()->pMethods->xClose(opened->real());
      opened->~WalFile();
      file->pMethods = nullptr;
      return code;
    }
    opened->pMethods = &kWalMethods;
    const int promises = opened->real()->pMethods->xDeviceCharacteristics(opened->real());
    if ((promises & SQLITE_IOCAP_POWERSAFE_OVERWRITE) && is_watched() && !methods.wal && !methods.fell_back) {
      opened->buffer.reset(new (std::nothrow) char[kBufferMax]);
      opened->open_as = &methods.wal;
      methods.wal = opened;
    }
    return SQLITE_OK;
  }
};

CoalescingWalVfs::CoalescingWalVfs(const std::string& real, std::atomic<std::uint64_t>& fallbacks) {
  static std::atomic<int> made{0};
  sqlite3_vfs* below = sqlite3_vfs_find(real.empty() ? nullptr : real.c_str());
  if (!below) return;
  vfs_ = std::make_unique<Vfs>();
  static_cast<sqlite3_vfs&>(*vfs_) = *below;
  vfs_->real = below;
  vfs_->methods.fallbacks = &fallbacks;
  vfs_->name = "coalescing-wal-" + std::to_string(++made);
  vfs_->zName = vfs_->name.c_str();
  vfs_->pNext = nullptr;
  vfs_->szOsFile = below->szOsFile + static_cast<int>(sizeof(WalFile));
  vfs_->xOpen = &Vfs::open;
  sqlite3_vfs_register(vfs_.get(), 0);
}

CoalescingWalVfs::~CoalescingWalVfs() {
  if (vfs_) sqlite3_vfs_unregister(vfs_.get());
}

const char* CoalescingWalVfs::name() const {
  return vfs_ ? vfs_->zName : nullptr;
}

}  // namespace bedplate::sql
