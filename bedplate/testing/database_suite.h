// SPDX-License-Identifier: Apache-2.0
// A test that runs on each engine, with a fresh database for each case.
//
//   class NotesTest : public testing::DatabaseTest {
//    protected:
//     testing::TestApp app{notes::notes_module(), {{"database.url", database_url()}}};
//   };
//   TEST_P(NotesTest, KeepsNotes) { ... }
//   INSTANTIATE_TEST_SUITE_P(, NotesTest, testing::every_database(), testing::database_name);
//
// The cases are NotesTest.KeepsNotes/sqlite and NotesTest.KeepsNotes/postgresql. Without TEST_POSTGRESQL_URL
// (fresh_database.h) there are those on SQLite alone: make sure that your CI sets it.
//
// Needs GoogleTest, which the test links itself.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bedplate/testing/fresh_database.h"

namespace bedplate::testing {

/// A test that runs on each engine; GetParam() is "sqlite" or "postgresql".
class DatabaseTest : public ::testing::TestWithParam<const char*> {
 protected:
  const std::string& database_url() const { return database_.url(); }

 private:
  FreshDatabase database_{GetParam()};
};

/// The engines that there are here.
inline auto every_database() {
  std::vector<const char*> engines{"sqlite"};
  if (has_postgresql_for_tests()) engines.push_back("postgresql");
  return ::testing::ValuesIn(engines);
}
inline std::string database_name(const ::testing::TestParamInfo<const char*>& info) {
  return info.param;
}

}  // namespace bedplate::testing
