// SPDX-License-Identifier: Apache-2.0
// Where an application's database is.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/sql/drivers/open.h"

namespace bedplate::app {

class Application;

/// database.url, or the file in the data directory.
std::string database_url(const Application& application);

/// The file of an embedded database; nothing for a server's.
std::optional<std::string> sqlite_path(const std::string& url);

/// The words of a text with spaces between them.
std::vector<std::string> words_of(const std::string& text);

/// Category::not_found, with a sentence that names the directory, where the embedded database is not there: for whoever
/// must not make one because of a slip in --data. A server says for itself what it has not.
Result<void> check_database_exists(const Application& application);

/// What each connection of an application's SQLite database is given: the tokenizer of search/.
std::vector<sql::SqliteExtension> sqlite_extensions();

/// Opens it, with sqlite_extensions(). `key` is the setting or flag that has the URL. When the database cannot be
/// reached, the error names that key and says why, without any secret part of the URL: for operators, not clients.
Result<std::unique_ptr<sql::Database>> open_for_operator(const std::string& url, std::string_view key,
                                                         sql::DatabaseOptions options = {});

}  // namespace bedplate::app
