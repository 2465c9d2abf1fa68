// SPDX-License-Identifier: Apache-2.0
// For the tests of this folder: a database in a directory of its own, and a loop to run coroutines on.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

#include "bedplate/async/loop.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/maintenance.h"
#include "bedplate/sql/sqlite/sqlite.h"

namespace bedplate::sql {

/// The value, or an exception that says the error.
template <class T>
T get(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().code() + ": " + result.error().detail());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

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
  explicit SqliteKit(std::string schema, const SqliteOptions& options = {}) : schema_(std::move(schema)) {
    open(options);
  }

  Database& database() { return *database_; }
  Loop& loop() { return loop_; }
  const TempDirectory& directory() const { return directory_; }
  SqliteOptions& options() { return options_; }

  /// Closes the database if it is open and opens it with other options. Time limits that a test leaves as they are by
  /// default are none that a busy machine could reach.
  void open(SqliteOptions options) {
    database_.reset();
    options_ = std::move(options);
    const SqliteOptions usual;
    constexpr std::int64_t kPatientMs = 60'000;
    if (options_.read_time_max_ms == usual.read_time_max_ms) options_.read_time_max_ms = kPatientMs;
    if (options_.command_time_max_ms == usual.command_time_max_ms) options_.command_time_max_ms = kPatientMs;
    if (options_.busy_timeout_ms == usual.busy_timeout_ms) options_.busy_timeout_ms = kPatientMs;
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

  /// Starts a coroutine on the kit's loop; it goes on in the next run().
  void start(Async<void> coroutine, Scope* scope = nullptr) {
    ++started_;
    loop_.spawn(count_down(std::move(coroutine)), scope);
  }
  /// Runs the loop until everything that was started has ended.
  void finish() {
    if (started_ > 0) loop_.run();
  }
  /// Runs a coroutine to its end on a loop of this thread.
  template <class T>
  Result<T> run(Async<T> coroutine, Scope* scope = nullptr) {
    return run_to_end(loop_, std::move(coroutine), scope);
  }

 private:
  Async<void> count_down(Async<void> coroutine) {
    std::ignore = co_await std::move(coroutine);
    if (--started_ == 0) loop_.stop();
  }

  TempDirectory directory_;
  int started_ = 0;
  std::string schema_;
  bool has_schema_ = false;
  SqliteOptions options_;
  Loop loop_;
  std::unique_ptr<Database> database_;
};

}  // namespace bedplate::sql
