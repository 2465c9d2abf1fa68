// SPDX-License-Identifier: Apache-2.0
#include "bedplate/testing/temp_dir.h"

#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace bedplate::testing {

TempDir::TempDir() {
  const char* base = std::getenv("TMPDIR");
  path_ = std::string(base && *base ? base : "/tmp") + "/bedplate-test-XXXXXX";
  if (!::mkdtemp(path_.data())) {
    std::perror("bedplate test: mkdtemp");
    std::abort();
  }
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace bedplate::testing
