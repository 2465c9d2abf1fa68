// SPDX-License-Identifier: Apache-2.0
// One process at a time in a data directory: who serves, restores or migrates it holds its lock.
//
//   Result<DataLock> lock = DataLock::acquire("/var/lib/notes");   // makes the directory (0700) when missing
//   // error: "Another process (pid 4711) serves '/var/lib/notes'."
//
// An advisory lock (flock) on the file DIR/lock, which holds the owner's process id. It goes with the
// process, however that ends.
#pragma once

#include <string>
#include <utility>

#include "bedplate/base/result.h"

namespace bedplate::sql {

class DataLock {
 public:
  /// Takes the lock or fails at once with Category::conflict `data_in_use`.
  static Result<DataLock> acquire(const std::string& directory);

  DataLock(DataLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  DataLock& operator=(DataLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~DataLock();

 private:
  explicit DataLock(int fd) : fd_(fd) {}

  int fd_;
};

}  // namespace bedplate::sql
