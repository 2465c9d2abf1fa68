// SPDX-License-Identifier: Apache-2.0
// How far long work has come, for a person who waits: one line on standard error that is written over, and only where
// that is a terminal. A log or a pipe gets nothing of it.
//
//   ProgressLine progress;
//   progress.show("backing up: 12 of 40 MiB");   // ten times a second at most; the line goes with the object
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "bedplate/sql/sqlite/backup.h"
#include "bedplate/sql/transfer/data_copy.h"

namespace bedplate::app {

class ProgressLine {
 public:
  ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();

  void show(const std::string& text);
  /// "copying tasks: 1024 of 3000 rows".
  void show(const sql::DataCopyProgress& progress);
  /// "backing up: 12 of 40 MiB".
  void show(std::string_view doing, const sql::BackupProgress& progress);

 private:
  const bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace bedplate::app
