// SPDX-License-Identifier: Apache-2.0
// Files that only their owner may read, and that survive a power cut. Private header.
#pragma once

#include <string>

#include "bedplate/base/result.h"

namespace bedplate::sql {

/// Makes a directory and those above it that are missing, mode 0700. An empty path is the present directory.
Result<void> make_private_directory(const std::string& path);
/// A file can be read and written, or made where it is missing, and others beside it. The error names what cannot:
/// the file or its directory. For what would be opened all the same and fail later.
Result<void> check_writable(const std::string& path);
/// Writes a file's content to disk.
Result<void> sync_file(const std::string& path);
/// Writes the directory's entries to disk: after a rename or a new file in it.
Result<void> sync_directory_of(const std::string& path);
/// `Category::unavailable storage_error`: "<what> <path>: <errno's words>."
Error file_error(const char* what, const std::string& path, int error);

}  // namespace bedplate::sql
