// For the tests of this folder: a database in a directory of its own, and a loop to run coroutines on.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "bedplate/async/loop.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/maintenance.h"
#include "bedplate/sql/sqlite.h"

namespace bedplate::sql {

/// A directory that goes with the object.
class TempDirectory {
 public:
  TempDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "bedplate-sql-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  ~TempDirectory() { std::filesystem::remove_all(path_); }

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// A fresh SQLite database with a schema.
class SqliteKit {
 public:
  explicit SqliteKit(std::string schema, SqliteOptions options = {}) : schema_(std::move(schema)) {
    open(options);
  }

  Database& database() { return *database_; }
  Loop& loop() { return loop_; }
  const TempDirectory& directory() const { return directory_; }
  SqliteOptions& options() { return options_; }

  /// Closes the database if it is open and opens it with other options.
  void open(SqliteOptions options) {
    database_.reset();
    options_ = std::move(options);
    options_.path = directory_.file("test.db");
    Result<std::unique_ptr<Database>> opened = open_sqlite(options_);
    if (!opened) throw std::runtime_error(opened.error().detail());
    database_ = std::move(*opened);
    if (!std::exchange(has_schema_, true)) script(schema_);
  }
  void close() { database_.reset(); }

  void script(const std::string& text) {
    auto maintenance = std::move(*database_->maintenance());
    if (auto r = maintenance->begin(); !r) throw std::runtime_error(r.error().detail());
    if (auto r = maintenance->run_script(text); !r) throw std::runtime_error(r.error().subject());
    if (auto r = maintenance->commit(); !r) throw std::runtime_error(r.error().detail());
  }

  /// Runs a coroutine to its end on a loop of this thread.
  template <class T>
  Result<T> run(Async<T> coroutine, Scope* scope = nullptr) {
    return run_to_end(loop_, std::move(coroutine), scope);
  }

 private:
  TempDirectory directory_;
  std::string schema_;
  bool has_schema_ = false;
  SqliteOptions options_;
  Loop loop_;
  std::unique_ptr<Database> database_;
};

}  // namespace bedplate::sql
