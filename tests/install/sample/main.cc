// SPDX-License-Identifier: Apache-2.0
// Uses the installed headers, an embedded file, and libraries that the framework does not link by itself.

#include "bedplate/app/application.h"
#include "bedplate/base/result.h"
#include "bedplate/base/time.h"
#include "bedplate/search/query.h"
#include "extras/documents/collection.h"
#include "extras/sharding/migrations.h"
#include "sample_files.h"

int main() {
  const auto file = sample::sample_files().front();
  if (file.bytes != "Hello from inside the binary\n") return 1;
  if (!bedplate::search::parse_query("milk", bedplate::search::Language::english)) return 2;
  if (!bedplate::documents::check_document("{}")) return 3;
  if (bedplate::sharding::directory_migrations().empty()) return 4;
  const bedplate::Error error(bedplate::Category::not_found, "nothing", "There is nothing here.");
  return bedplate::http_status(error.category()) == 404 ? 0 : 1;
}
