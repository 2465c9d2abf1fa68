// A fresh database on either engine, with a schema, and a loop to run coroutines on: for suites that hold both to the
// same. Link test_servers; tests take the engine as their parameter:
//
//   class NotesTest : public testing::TestWithParam<sql::Dialect> {};
//   TEST_P(NotesTest, ...) { EngineKit kit(GetParam(), schema_of(GetParam())); ... kit.run(kit.database().read(...)); }
//   INSTANTIATE_TEST_SUITE_P(, NotesTest, testing::ValuesIn(kEngines), engine_name);
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "bedplate/async/loop.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/maintenance.h"
#include "bedplate/sql/open.h"
#include "tests/servers/postgresql_server.h"

namespace bedplate::testing {

inline constexpr sql::Dialect kEngines[] = {sql::Dialect::sqlite, sql::Dialect::postgresql};

inline std::string engine_name(const ::testing::TestParamInfo<sql::Dialect>& info) {
  return info.param == sql::Dialect::sqlite ? "sqlite" : "postgresql";
}

class EngineKit {
 public:
  EngineKit(sql::Dialect dialect, const std::string& schema, sql::DatabaseOptions options = {}) {
    std::string url;
    if (dialect == sql::Dialect::sqlite) {
      std::string pattern = (std::filesystem::temp_directory_path() / "bedplate-engine-XXXXXX").string();
      directory_ = ::mkdtemp(pattern.data());
      url = "sqlite:" + directory_ + "/test.db";
    } else {
      server_database_.emplace(shared_postgres().create_database());
      url = server_database_->url();
    }
    database_ = check(sql::open_database(url, options));
    script(schema);
  }
  EngineKit(const EngineKit&) = delete;
  EngineKit& operator=(const EngineKit&) = delete;
  ~EngineKit() {
    database_.reset();
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }

  sql::Database& database() { return *database_; }
  sql::Dialect dialect() const { return database_->dialect(); }
  Loop& loop() { return loop_; }
  /// To look in past the program; only on PostgreSQL.
  const PostgresDatabase& server_database() const { return *server_database_; }
  /// The file; only on SQLite.
  std::string file() const { return directory_ + "/test.db"; }

  void script(const std::string& text) {
    std::unique_ptr<sql::Maintenance> maintenance = check(database_->maintenance());
    check(maintenance->begin());
    check(maintenance->run_script(text));
    check(maintenance->commit());
  }
  template <class T>
  Result<T> run(Async<T> coroutine) {
    return run_to_end(loop_, std::move(coroutine), nullptr);
  }
  /// The value, or an exception that says the error.
  template <class T>
  T get(Async<T> coroutine) {
    return check(run(std::move(coroutine)));
  }

 private:
  template <class T>
  static T check(Result<T> result) {
    if (!result)
      throw std::runtime_error(result.error().code() + ": " + result.error().detail() + " " +
                               result.error().subject());
    if constexpr (!std::is_void_v<T>) return std::move(*result);
  }

  std::string directory_;
  std::optional<PostgresDatabase> server_database_;
  Loop loop_;
  std::unique_ptr<sql::Database> database_;
};

}  // namespace bedplate::testing
