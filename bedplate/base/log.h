// SPDX-License-Identifier: Apache-2.0
// Structured logs: one JSON object a line, or a line of text for people.
//
//   log_info("server started", {{"url", url}, {"threads", threads}});
//   {"time":"2026-11-21T10:00:00.123456Z","level":"info","message":"server started","url":"...","threads":2}
//   2026-11-21T10:00:00.123Z INFO  server started url=http://... threads=2
//
// - Thread-safe. A line is one write(2), so lines of threads and of processes that share a pipe do not mix.
// - Never throws, never allocates, never waits long: when the reader of the output stalls, a line is dropped
//   after kLogWaitMax and further ones at once; a line says how many when the output moves again.
// - Values may come from outside: they are escaped (quotes, bad UTF-8, control characters, and whatever else a
//   terminal or an editor obeys instead of showing it), so nobody can forge or disguise a line. What may enter a log
//   is the caller's duty: no secrets, no parameter values.
// - A field whose text is empty is left out.
// - A line is at most kLogLineSizeMax bytes; what does not fit is cut, and the line then ends with
//   "truncated":true (as text: truncated=true).
// - Below the level a call costs a load and a compare; its arguments are still evaluated, so guard costly
//   ones with log_enabled().
//
// The level, the format and the output belong to the process: a log line must be possible from anywhere, also from a
// destructor.
#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace bedplate {

enum class LogLevel : std::uint8_t { debug, info, warn, error };

std::string_view to_string(LogLevel level);

enum class LogFormat : std::uint8_t { json, text };

/// One page: what POSIX writes to a pipe in one piece (PIPE_BUF).
inline constexpr std::size_t kLogLineSizeMax = 4096;
inline constexpr std::chrono::milliseconds kLogWaitMax{50};

/// A name and a value. Borrows both: use it as an argument only.
class LogField {
 public:
  enum class Kind : std::uint8_t { text, integer, natural, real, boolean };

  LogField(std::string_view key, std::string_view value) : key_(key), text_(value), kind_(Kind::text) {}
  LogField(std::string_view key, const std::string& value) : LogField(key, std::string_view(value)) {}
  LogField(std::string_view key, const char* value) : LogField(key, std::string_view(value)) {}
  LogField(std::string_view key, bool value) : key_(key), boolean_(value), kind_(Kind::boolean) {}
  template <std::signed_integral Int>
  LogField(std::string_view key, Int value) : key_(key), integer_(value), kind_(Kind::integer) {}
  template <std::unsigned_integral Int>
    requires(!std::same_as<Int, bool>)
  LogField(std::string_view key, Int value) : key_(key), natural_(value), kind_(Kind::natural) {}
  LogField(std::string_view key, double value) : key_(key), real_(value), kind_(Kind::real) {}

  std::string_view key() const { return key_; }
  Kind kind() const { return kind_; }
  std::string_view text() const { return text_; }
  std::int64_t integer() const { return integer_; }
  std::uint64_t natural() const { return natural_; }
  double real() const { return real_; }
  bool boolean() const { return boolean_; }

 private:
  std::string_view key_;
  union {
    std::string_view text_;
    std::int64_t integer_;
    std::uint64_t natural_;
    double real_;
    bool boolean_;
  };
  Kind kind_;
};

using LogFields = std::initializer_list<LogField>;

namespace detail {
extern std::atomic<LogLevel> log_threshold;
void write_log(LogLevel level, std::string_view message, LogFields fields) noexcept;
}  // namespace detail

/// The least level that is written; info at first.
void set_log_level(LogLevel level);
inline LogLevel log_level() {
  return detail::log_threshold.load(std::memory_order_relaxed);
}
inline bool log_enabled(LogLevel level) {
  return level >= log_level();
}

/// How lines are written; JSON at first.
void set_log_format(LogFormat format);
LogFormat log_format();

/// Where lines go: a file descriptor that stays the caller's, and open; standard error at first. Returns the
/// one before. No line is written to the old one after this returns. Ignore SIGPIPE in a process that logs to
/// a pipe.
int set_log_output(int descriptor);

/// How many lines were dropped since the start because the output stalled or failed.
std::uint64_t log_lines_dropped();

inline void log(LogLevel level, std::string_view message, LogFields fields = {}) {
  if (log_enabled(level)) detail::write_log(level, message, fields);
}
inline void log_debug(std::string_view message, LogFields fields = {}) {
  log(LogLevel::debug, message, fields);
}
inline void log_info(std::string_view message, LogFields fields = {}) {
  log(LogLevel::info, message, fields);
}
inline void log_warn(std::string_view message, LogFields fields = {}) {
  log(LogLevel::warn, message, fields);
}
inline void log_error(std::string_view message, LogFields fields = {}) {
  log(LogLevel::error, message, fields);
}

}  // namespace bedplate
