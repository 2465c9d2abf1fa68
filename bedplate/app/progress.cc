// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace bedplate::app {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPause{100};
constexpr const char* kClearLine = "\r\033[K";  // back to its beginning, and erase (ECMA-48)

}  // namespace

ProgressLine::ProgressLine() : terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressLine::~ProgressLine() {
  if (shown_) std::fputs(kClearLine, stderr);
}

void ProgressLine::show(const std::string& text) {
  const steady_clock::time_point now = steady_clock::now();
  if (!terminal_ || now < next_) return;
  next_ = now + kPause;
  shown_ = true;
  std::fputs((kClearLine + text).c_str(), stderr);
  std::fflush(stderr);
}

void ProgressLine::show(const sql::DataCopyProgress& progress) {
  show(fmt::format("{} {}: {} of {} rows", progress.comparing ? "comparing" : "copying", progress.table,
                   progress.rows, progress.rows_total));
}

void ProgressLine::show(std::string_view doing, const sql::BackupProgress& progress) {
  if (progress.checking) {
    next_ = {};  // nothing follows it for as long as that takes
    return show("checking the copy");
  }
  constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;
  show(fmt::format("{}: {} of {} MiB", doing, progress.bytes / kMebibyte,
                   (progress.bytes_total + kMebibyte - 1) / kMebibyte));
}

}  // namespace bedplate::app
