// SPDX-License-Identifier: Apache-2.0
// A fresh database on either engine, with a schema, and a loop to run coroutines on: for suites that hold both to the
// same. Link test_servers; tests take the engine as their parameter:
//
//   class NotesTest : public testing::TestWithParam<sql::Dialect> {};
//   TEST_P(NotesTest, ...) { EngineKit kit(GetParam(), schema_of(GetParam())); ... kit.run(kit.database().read(...)); }
//   INSTANTIATE_TEST_SUITE_P(, NotesTest, every_dialect(), dialect_name);
//
// Time limits that a test leaves as they are by default are none that a busy machine could reach.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "bedplate/async/loop.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/drivers/open.h"
#include "bedplate/sql/maintenance.h"
#include "tests/kits/database_kit.h"
#include "tests/kits/patient_kit.h"

namespace bedplate::testing {

inline auto every_dialect() {
  return ::testing::Values(sql::Dialect::sqlite, sql::Dialect::postgresql);
}
inline std::string dialect_name(const ::testing::TestParamInfo<sql::Dialect>& info) {
  return info.param == sql::Dialect::sqlite ? "sqlite" : "postgresql";
}

class EngineKit {
 public:
  EngineKit(sql::Dialect dialect, const std::string& schema, const sql::DatabaseOptions& options = {})
      : where_(std::in_place, dialect == sql::Dialect::sqlite ? "sqlite" : "postgresql") {
    open(where_->url(), schema, options);
  }
  /// On a server of the test's own, to be killed under it. `place` outlives the kit.
  EngineKit(const PostgresDatabase& place, const std::string& schema,
            const sql::DatabaseOptions& options = {}) {
    open(place.url(), schema, options);
  }
  EngineKit(const EngineKit&) = delete;
  EngineKit& operator=(const EngineKit&) = delete;

  sql::Database& database() { return *database_; }
  sql::Dialect dialect() const { return database_->dialect(); }
  Loop& loop() { return loop_; }
  /// To look in past the program; only on PostgreSQL, and for a database that the kit made.
  const PostgresDatabase& server_database() const { return where_->postgres(); }

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

  void open(const std::string& url, const std::string& schema, const sql::DatabaseOptions& options) {
    database_ = check(sql::open_database(url, patient(options)));
    if (!schema.empty()) script(schema);
  }

  std::optional<TestDatabase> where_;  // first: it goes last
  Loop loop_;
  std::unique_ptr<sql::Database> database_;
};

}  // namespace bedplate::testing
