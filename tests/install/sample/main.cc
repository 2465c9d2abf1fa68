// Uses the installed headers, a static library and an embedded file; says on its standard output what it found.
#include <cstdio>

#include "bedplate/base/result.h"
#include "bedplate/base/time.h"
#include "sample_files.h"

int main() {
  const auto file = sample::sample_files().front();
  std::fwrite(file.bytes.data(), 1, file.bytes.size(), stdout);
  const bedplate::Error error(bedplate::Category::not_found, "nothing", "There is nothing here.");
  return bedplate::http_status(error.category()) == 404 ? 0 : 1;
}
