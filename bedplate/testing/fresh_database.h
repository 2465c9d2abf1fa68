// SPDX-License-Identifier: Apache-2.0
// A fresh database on either engine, for one test. Suites that run on both derive from DatabaseTest (database_suite.h).
//
//   FreshDatabase database("postgresql");
//   TestApp app(notes::notes_module(), {{"database.url", database.url()}});
//
// On SQLite it is a file in a directory of its own. On PostgreSQL it is made on the server that the variable
// TEST_POSTGRESQL_URL names, and dropped at the end. The role in the URL needs CREATEDB, as that of `./dev services up`
// has it, and should be no superuser: for those PostgreSQL does not check row-level security.
//
// Aborts with a sentence when the server does not do what it should. One thread at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bedplate/testing/temp_dir.h"

namespace bedplate::testing {

/// A URL of PostgreSQL whose role may create databases: as set below, or of the environment. Empty: there is none.
std::string postgresql_for_tests();
/// Takes the place of TEST_POSTGRESQL_URL, for programs that start a server themselves; asked when a database is made.
/// To be said before main() and ahead of INSTANTIATE_TEST_SUITE_P: `const bool kSaid = use_postgresql_for_tests(...)`.
bool use_postgresql_for_tests(std::string (*url)());

/// Whether there is one.
bool has_postgresql_for_tests();

/// Goes with the object, whoever is still connected.
class FreshDatabase {
 public:
  /// "sqlite" or "postgresql".
  explicit FreshDatabase(std::string_view engine);
  FreshDatabase(const FreshDatabase&) = delete;
  FreshDatabase& operator=(const FreshDatabase&) = delete;
  ~FreshDatabase();

  const std::string& url() const { return url_; }

 private:
  std::optional<TempDir> directory_;
  std::string server_url_;
  std::string name_;
  std::string url_;
};

}  // namespace bedplate::testing
