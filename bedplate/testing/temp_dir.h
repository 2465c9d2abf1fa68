// SPDX-License-Identifier: Apache-2.0
// A directory of a test's own, removed with everything in it at the end.
#pragma once

#include <filesystem>
#include <string>

namespace bedplate::testing {

class TempDir {
 public:
  /// Made below $TMPDIR or /tmp, mode 0700. Aborts when that fails: there is no test without it.
  TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace bedplate::testing
