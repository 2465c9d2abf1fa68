// SPDX-License-Identifier: Apache-2.0
// A fresh database on each engine in turn, for tests of what must be the same on all of them.
//
//   class NotesTest : public testing::EngineTest {
//    protected:
//     testing::TestApp app{build, {{"database.url", database_url()}}};
//   };
//   TEST_P(NotesTest, KeepsNotes) { ... }
//   INSTANTIATE_TEST_SUITE_P(Engines, NotesTest, testing::every_engine(), testing::engine_name);
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>

#include "tests/servers/daemon.h"
#include "tests/servers/postgresql_server.h"

namespace bedplate::testing {

/// An empty database that goes with the object: a file in a directory of its own, or one of shared_postgres().
class TestDatabase {
 public:
  /// "sqlite" or "postgresql".
  explicit TestDatabase(std::string_view engine) {
    if (engine == "postgresql")
      postgres_.emplace(shared_postgres().create_database());
    else
      directory_.emplace("sqlite");
  }

  bool is_postgres() const { return postgres_.has_value(); }
  std::string url() const { return postgres_ ? postgres_->url() : "sqlite:" + *directory_ / "test.db"; }
  /// Only on PostgreSQL.
  const PostgresDatabase& postgres() const { return *postgres_; }

 private:
  std::optional<PostgresDatabase> postgres_;
  std::optional<ServerDirectory> directory_;
};

/// A test that runs on each engine, with a database of its own.
class EngineTest : public ::testing::TestWithParam<const char*> {
 protected:
  TestDatabase& database() { return database_; }
  std::string database_url() const { return database_.url(); }

 private:
  TestDatabase database_{GetParam()};
};

inline auto every_engine() {
  return ::testing::Values("sqlite", "postgresql");
}
inline std::string engine_name(const ::testing::TestParamInfo<const char*>& info) {
  return info.param;
}

}  // namespace bedplate::testing
