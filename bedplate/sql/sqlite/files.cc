// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/sqlite/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bedplate/sql/error.h"

namespace bedplate::sql {
namespace {

Result<void> sync_path(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return std::unexpected(file_error("Cannot open", path, errno));
  const int failed = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  if (failed) return std::unexpected(file_error("Cannot write to disk", path, error));
  return {};
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Error file_error(const char* what, const std::string& path, int error) {
  return Error(Category::unavailable, error == ENOSPC ? kStorageFull : kStorageError,
               std::string(what) + " " + path + ": " + std::strerror(error) + ".");
}

Result<void> make_private_directory(const std::string& path) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (!part.empty() && ::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST)
      return std::unexpected(file_error("Cannot make the directory", part, errno));
    if (slash == std::string::npos) return {};
  }
}

Result<void> check_writable(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) == 0) {
    if (!S_ISREG(info.st_mode)) return fail(Category::unavailable, kStorageError, path + " is not a file.");
    if (::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK, AT_EACCESS) != 0)
      return std::unexpected(file_error("Cannot write", path, errno));
  }
  const std::string directory = directory_of(path);
  if (::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
    return std::unexpected(file_error("Cannot write files in the directory", directory, errno));
  return {};
}

Result<void> sync_file(const std::string& path) {
  return sync_path(path, O_RDONLY);
}

Result<void> sync_directory_of(const std::string& path) {
  return sync_path(directory_of(path), O_RDONLY | O_DIRECTORY);
}

}  // namespace bedplate::sql
