// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/sqlite/data_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string>

#include "bedplate/sql/sqlite/files.h"

namespace bedplate::sql {
namespace {

// The process id that the owner wrote, or nothing (it has only just taken the lock).
std::string owner_of(int fd) {
  char text[32];
  const ssize_t size = ::pread(fd, text, sizeof text, 0);
  std::string owner;
  for (ssize_t i = 0; i < size && text[i] >= '0' && text[i] <= '9'; ++i) owner += text[i];
  return owner;
}

}  // namespace

Result<DataLock> DataLock::acquire(const std::string& directory) {
  if (Result<void> made = make_private_directory(directory); !made)
    return std::unexpected(std::move(made.error()));
  const std::string path = directory + "/lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return std::unexpected(file_error("Cannot open", path, errno));
  DataLock lock(fd);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return std::unexpected(file_error("Cannot lock", path, errno));
    const std::string owner = owner_of(fd);
    return fail(
        Category::conflict, "data_in_use",
        "Another process" + (owner.empty() ? "" : " (pid " + owner + ")") + " serves '" + directory + "'.");
  }
  const std::string owner = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0 || ::pwrite(fd, owner.data(), owner.size(), 0) < 0)
    return std::unexpected(file_error("Cannot write", path, errno));
  return lock;
}

DataLock::~DataLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace bedplate::sql
