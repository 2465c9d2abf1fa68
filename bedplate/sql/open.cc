#include "bedplate/sql/open.h"

#include <string>
#include <utility>

namespace bedplate::sql {

Result<std::unique_ptr<Database>> open_database(std::string_view url, SqliteOptions options) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (!url.starts_with(kSqlite))
    return fail(Category::invalid, "database_url",
                "database.url must begin with sqlite: (this build has no other driver).");
  std::string_view path = url.substr(kSqlite.size());
  if (path.starts_with("///")) path.remove_prefix(2);
  if (path.empty() || path.starts_with("//"))
    return fail(Category::invalid, "database_url", "database.url must name a file: sqlite:PATH.");
  options.path = path;
  return open_sqlite(options);
}

}  // namespace bedplate::sql
