// Opens a database by its URL: the scheme chooses the driver.
//
//   auto database = open_database("sqlite:/var/lib/notes/bedplate.db", {});
#pragma once

#include <memory>
#include <string_view>

#include "bedplate/base/result.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/sqlite.h"

namespace bedplate::sql {

/// `sqlite:PATH` (`sqlite:///abs/path` too). `options` are those of the driver, its path is taken from the
/// URL. Another scheme is an error that lists what there is.
Result<std::unique_ptr<Database>> open_database(std::string_view url, SqliteOptions options);

}  // namespace bedplate::sql
