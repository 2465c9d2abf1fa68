// SPDX-License-Identifier: Apache-2.0
// Uses the installed headers, a static library and an embedded file.

#include "bedplate/base/result.h"
#include "bedplate/base/time.h"
#include "sample_files.h"

int main() {
  const auto file = sample::sample_files().front();
  if (file.bytes != "Hello from inside the binary\n") return 1;
  const bedplate::Error error(bedplate::Category::not_found, "nothing", "There is nothing here.");
  return bedplate::http_status(error.category()) == 404 ? 0 : 1;
}
