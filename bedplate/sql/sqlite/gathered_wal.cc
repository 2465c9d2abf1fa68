// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/sqlite/gathered_wal.h"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <new>

namespace bedplate::sql {
namespace {

// 31 pages; a longer commit takes several writes. SQLite's own layer writes no more at once, and says "full" instead.
constexpr std::size_t kWaitingMax = 0x1ffff;

// The log as a connection has it open; in memory that SQLite allots, with the real layer's file behind it.
struct WalFile : sqlite3_file {
  std::unique_ptr<char[]> waiting;  ///< null: everything is written as it comes
  std::size_t size = 0;             ///< of what waits
  sqlite3_int64 offset = 0;         ///< where it belongs

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  int write_now(const void* data, int count, sqlite3_int64 at) {
    return real()->pMethods->xWrite(real(), data, count, at);
  }
  /// What failed to be written still waits.
  int flush() {
    if (size == 0) return SQLITE_OK;
    const int code = write_now(waiting.get(), static_cast<int>(size), offset);
    if (code == SQLITE_OK) size = 0;
    return code;
  }
  bool joins(std::size_t count, sqlite3_int64 at) const {
    return at >= offset && at <= offset + static_cast<sqlite3_int64>(size) &&
           static_cast<std::size_t>(at - offset) + count <= kWaitingMax;
  }
};

WalFile& wal(sqlite3_file* file) {
  return *static_cast<WalFile*>(file);
}

int close_wal(sqlite3_file* file) {
  WalFile& closing = wal(file);
  const int code = closing.real()->pMethods->xClose(closing.real());  // what still waits was never committed
  closing.~WalFile();
  return code;
}

int write_wal(sqlite3_file* file, const void* data, int count, sqlite3_int64 at) {
  WalFile& to = wal(file);
  const auto bytes = static_cast<std::size_t>(count);
  if (!to.waiting || bytes > kWaitingMax) {
    const int code = to.flush();
    return code == SQLITE_OK ? to.write_now(data, count, at) : code;
  }
  if (!to.joins(bytes, at)) {
    if (const int code = to.flush(); code != SQLITE_OK) return code;
    to.offset = at;
  }
  const auto place = static_cast<std::size_t>(at - to.offset);
  std::memcpy(to.waiting.get() + place, data, bytes);
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

}  // namespace

struct GatheredWal::Vfs : sqlite3_vfs {
  sqlite3_vfs* real = nullptr;
  std::string name;

  static int open(sqlite3_vfs* self, const char* path, sqlite3_file* file, int flags, int* flags_out) {
    sqlite3_vfs* real = static_cast<Vfs*>(self)->real;
    if (!(flags & SQLITE_OPEN_WAL)) return real->xOpen(real, path, file, flags, flags_out);
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
    if (promises & SQLITE_IOCAP_POWERSAFE_OVERWRITE)
      opened->waiting.reset(new (std::nothrow) char[kWaitingMax]);
    return SQLITE_OK;
  }
};

GatheredWal::GatheredWal(const std::string& real) {
  static std::atomic<int> made{0};
  sqlite3_vfs* below = sqlite3_vfs_find(real.empty() ? nullptr : real.c_str());
  if (!below) return;
  vfs_ = std::make_unique<Vfs>();
  static_cast<sqlite3_vfs&>(*vfs_) = *below;
  vfs_->real = below;
  vfs_->name = "gathered-wal-" + std::to_string(++made);
  vfs_->zName = vfs_->name.c_str();
  vfs_->pNext = nullptr;
  vfs_->szOsFile = below->szOsFile + static_cast<int>(sizeof(WalFile));
  vfs_->xOpen = &Vfs::open;
  sqlite3_vfs_register(vfs_.get(), 0);
}

GatheredWal::~GatheredWal() {
  if (vfs_) sqlite3_vfs_unregister(vfs_.get());
}

const char* GatheredWal::name() const {
  return vfs_ ? vfs_->zName : nullptr;
}

}  // namespace bedplate::sql
