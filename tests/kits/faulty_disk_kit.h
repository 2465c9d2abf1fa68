// SPDX-License-Identifier: Apache-2.0
// A disk for tests: a SQLite VFS over the real one that knows what was synced, can lose the rest, and can
// fail.
//
//   FaultyDisk disk;
//   options.vfs = disk.name();
//   disk.fail_writes_with(SQLITE_FULL);               // ENOSPC, until 0 is given
//   disk.cut_power(folder, rng);                      // the files as they might be after a power cut right
//   now
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace bedplate::sql {

class FaultyDisk {
 public:
  /// By itself it promises nothing about what lies beside a write that the power cut hits: SQLite then pads its log.
  enum class Promise : std::uint8_t { nothing, powersafe_overwrite };

  explicit FaultyDisk(Promise promise = Promise::nothing)
      : real_(sqlite3_vfs_find(nullptr)), name_("faulty-" + std::to_string(++made_)), promise_(promise) {
    vfs_ = *real_;
    vfs_.zName = name_.c_str();
    vfs_.pAppData = this;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.xOpen = &FaultyDisk::open;
    vfs_.xDelete = [](sqlite3_vfs* vfs, const char* path, int sync) { return self(vfs).remove(path, sync); };
    sqlite3_vfs_register(&vfs_, 0);
  }
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;
  ~FaultyDisk() { sqlite3_vfs_unregister(&vfs_); }

  const std::string& name() const { return name_; }

  void fail_writes_with(int code) { write_fault_ = code; }
  void fail_syncs_with(int code) { sync_fault_ = code; }
  /// Each write and sync fails with this chance, of 1000.
  void fail_sometimes(int per_mille) { fault_per_mille_ = per_mille; }

  std::uint64_t syncs() const { return syncs_; }
  /// Of databases and logs.
  std::uint64_t writes() const { return writes_; }
  /// Writes to `folder` what the files might hold after a power cut now: everything that was synced, and of
  /// the rest any part, in any order, torn at sectors; or nothing of the rest.
  void cut_power(const std::string& folder, std::mt19937& rng, bool lose_all = false) {
    std::lock_guard lock(mutex_);
    for (const auto& [path, content] : files_) {
      if (!content.ever_synced && (lose_all || rng() % 2)) continue;  // its name was not on disk either
      std::vector<char> image = content.durable;
      for (const Change& change : content.unsynced) {
        const std::uint32_t fate = rng() % 3;
        if (fate == 0 || lose_all) continue;
        const std::size_t whole = change.bytes.size();
        apply(image, change, fate == 1 ? whole : rng() % (whole / kSectorBytes + 1) * kSectorBytes);
      }
      std::ofstream(folder + path.substr(path.rfind('/')), std::ios::binary)
          .write(image.data(), static_cast<std::streamsize>(image.size()));
    }
  }

 private:
  static constexpr std::size_t kSectorBytes = 512;
  static constexpr std::size_t kPageBytes = 4096;  ///< of a long write, each may be lost or kept

  struct Change {
    std::size_t offset = 0;
    std::vector<char> bytes;
    bool truncates = false;
  };
  struct Content {
    std::vector<char> durable;
    std::vector<Change> unsynced;
    bool ever_synced = false;

    void note_write(std::string_view bytes, std::size_t offset) {
      while (!bytes.empty()) {
        const std::string_view piece = bytes.substr(0, kPageBytes - offset % kPageBytes);
        unsynced.push_back({offset, {piece.begin(), piece.end()}, false});
        offset += piece.size();
        bytes.remove_prefix(piece.size());
      }
    }
  };
  struct File : sqlite3_file {
    FaultyDisk* disk;
    Content* content;  // null: not followed (temporary files)
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };

  static FaultyDisk& self(sqlite3_vfs* vfs) { return *static_cast<FaultyDisk*>(vfs->pAppData); }
  static File& file(sqlite3_file* raw) { return *static_cast<File*>(raw); }

  static void apply(std::vector<char>& image, const Change& change, std::size_t size) {
    if (change.truncates) return image.resize(change.offset);
    if (image.size() < change.offset + size) image.resize(change.offset + size);
    if (size > 0) std::memcpy(image.data() + change.offset, change.bytes.data(), size);
  }

  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* raw, int flags, int* out_flags) {
    FaultyDisk& disk = self(vfs);
    File& opened = file(raw);
    opened.disk = &disk;
    opened.content = nullptr;
    opened.pMethods = nullptr;
    const int code = disk.real_->xOpen(disk.real_, path, opened.real(), flags, out_flags);
    if (code != SQLITE_OK) return code;
    opened.pMethods = methods();
    if (!(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL))) return SQLITE_OK;
    std::lock_guard lock(disk.mutex_);
    opened.content = &disk.files_[path];
    return SQLITE_OK;
  }

  int remove(const char* path, int sync) {
    std::lock_guard lock(mutex_);
    files_.erase(path);
    return real_->xDelete(real_, path, sync);
  }

  int fault(const std::atomic<int>& set) {
    if (set != 0) return set;
    const int chance = fault_per_mille_;
    if (chance == 0 || static_cast<int>(dice_() % 1000) >= chance) return SQLITE_OK;
    return dice_() % 2 ? SQLITE_FULL : SQLITE_IOERR_WRITE;
  }

  static int write(sqlite3_file* raw, const void* data, int size, sqlite3_int64 offset) {
    File& to = file(raw);
    FaultyDisk& disk = *to.disk;
    std::lock_guard lock(disk.mutex_);
    if (!to.content) return to.real()->pMethods->xWrite(to.real(), data, size, offset);
    if (const int code = disk.fault(disk.write_fault_); code != SQLITE_OK) return code;
    const int code = to.real()->pMethods->xWrite(to.real(), data, size, offset);
    ++disk.writes_;
    if (code == SQLITE_OK)
      to.content->note_write({static_cast<const char*>(data), static_cast<std::size_t>(size)},
                             static_cast<std::size_t>(offset));
    return code;
  }

  static int truncate(sqlite3_file* raw, sqlite3_int64 size) {
    File& to = file(raw);
    std::lock_guard lock(to.disk->mutex_);
    if (to.content) to.content->unsynced.push_back({static_cast<std::size_t>(size), {}, true});
    return to.real()->pMethods->xTruncate(to.real(), size);
  }

  // The real disk is not asked: what survives is decided here.
  static int sync(sqlite3_file* raw, int) {
    File& to = file(raw);
    FaultyDisk& disk = *to.disk;
    std::lock_guard lock(disk.mutex_);
    if (!to.content) return SQLITE_OK;
    if (disk.sync_fault_ != 0) return disk.sync_fault_;
    if (disk.fault(disk.sync_fault_) != SQLITE_OK) return SQLITE_IOERR_FSYNC;
    for (const Change& change : to.content->unsynced) apply(to.content->durable, change, change.bytes.size());
    to.content->unsynced.clear();
    to.content->ever_synced = true;
    ++disk.syncs_;
    return SQLITE_OK;
  }

  template <auto Method>
  struct Forward;
  template <class R, class... Args, R (*sqlite3_io_methods::*Method)(sqlite3_file*, Args...)>
  struct Forward<Method> {
    static R call(sqlite3_file* raw, Args... args) {
      sqlite3_file* real = file(raw).real();
      return (real->pMethods->*Method)(real, args...);
    }
  };

  static const sqlite3_io_methods* methods() {
    using M = sqlite3_io_methods;
    static const sqlite3_io_methods table = {
        .iVersion = 3,
        .xClose = &Forward<&M::xClose>::call,
        .xRead = &Forward<&M::xRead>::call,
        .xWrite = &FaultyDisk::write,
        .xTruncate = &FaultyDisk::truncate,
        .xSync = &FaultyDisk::sync,
        .xFileSize = &Forward<&M::xFileSize>::call,
        .xLock = &Forward<&M::xLock>::call,
        .xUnlock = &Forward<&M::xUnlock>::call,
        .xCheckReservedLock = &Forward<&M::xCheckReservedLock>::call,
        .xFileControl = &Forward<&M::xFileControl>::call,
        .xSectorSize = &Forward<&M::xSectorSize>::call,
        .xDeviceCharacteristics =
            [](sqlite3_file* raw) {
              const bool safe = file(raw).disk->promise_ == Promise::powersafe_overwrite;
              return safe ? SQLITE_IOCAP_POWERSAFE_OVERWRITE : 0;
            },
        .xShmMap = &Forward<&M::xShmMap>::call,
        .xShmLock = &Forward<&M::xShmLock>::call,
        .xShmBarrier = &Forward<&M::xShmBarrier>::call,
        .xShmUnmap = &Forward<&M::xShmUnmap>::call,
        .xFetch = &Forward<&M::xFetch>::call,
        .xUnfetch = &Forward<&M::xUnfetch>::call,
    };
    return &table;
  }

  static inline std::atomic<int> made_{0};
  sqlite3_vfs* const real_;
  const std::string name_;
  const Promise promise_;
  sqlite3_vfs vfs_{};
  std::mutex mutex_;
  std::map<std::string, Content> files_;
  std::mt19937 dice_{7};
  std::atomic<int> write_fault_{0};
  std::atomic<int> sync_fault_{0};
  std::atomic<int> fault_per_mille_{0};
  std::atomic<std::uint64_t> syncs_{0};
  std::atomic<std::uint64_t> writes_{0};
};

}  // namespace bedplate::sql
