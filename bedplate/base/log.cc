// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/log.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <mutex>
#include <utility>

#include "bedplate/base/text.h"
#include "bedplate/base/time.h"

namespace bedplate {

namespace detail {
constinit std::atomic<LogLevel> log_threshold{LogLevel::info};
}  // namespace detail

namespace {

constexpr std::string_view kLevelNames[] = {"debug", "info", "warn", "error"};
constexpr std::string_view kLevelColumns[] = {"DEBUG ", "INFO  ", "WARN  ", "ERROR "};
constinit std::atomic<LogFormat> process_format{LogFormat::json};

/// Whether a value needs no quotes in a line of text: it is one graphic word.
bool is_word(std::string_view text) {
  for (const char c : text)
    if (c <= ' ' || c >= 0x7F || c == '"' || c == '\\' || c == '=')
      return false;  // char may be signed or not
  return !text.empty();
}

/// One line under construction, on the stack. Keeps room for its end, so that it can always be closed
/// properly.
class Line {
 public:
  Line(LogLevel level, std::string_view message) : as_text_(log_format() == LogFormat::text) {
    // The wall clock itself, not a Clock: logs say when it really was.
    const auto now =
        std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    if (as_text_) {
      begin_text(level, message, now);
      return;
    }
    char time[kRfc3339SizeMax];
    put("{\"time\":\"");
    put({time, write_rfc3339(now, time)});
    put("\",\"level\":\"");
    put(to_string(level));
    put("\",\"message\":");
    put_string(message);
  }

  void add(const LogField& field) {
    if (cut_ || (field.kind() == LogField::Kind::text && field.text().empty())) return;
    char* const before = cursor_;
    if (limit() - cursor_ < 2 || (*cursor_++ = as_text_ ? ' ' : ',', !put_key(field.key())) ||
        limit() - cursor_ < kValueSizeMax) {
      cursor_ = before;  // a key without its value says nothing
      cut_ = true;
      return;
    }
    *cursor_++ = as_text_ ? '=' : ':';
    switch (field.kind()) {
      case LogField::Kind::text:
        put_text(field.text());
        break;
      case LogField::Kind::integer:
        cursor_ = write_int(cursor_, field.integer());
        break;
      case LogField::Kind::natural:
        cursor_ = write_uint(cursor_, field.natural());
        break;
      case LogField::Kind::real:
        put_real(field.real());
        break;
      case LogField::Kind::boolean:
        put(field.boolean() ? "true" : "false");
        break;
    }
  }

  std::string_view finish() {
    if (as_text_)
      put(cut_ ? std::string_view(" truncated=true\n") : std::string_view("\n"));
    else
      put(cut_ ? std::string_view(kCutEnd) : std::string_view("}\n"));
    return {bytes_, static_cast<std::size_t>(cursor_ - bytes_)};
  }

 private:
  static constexpr char kCutEnd[] = ",\"truncated\":true}\n";  ///< the longer of the two
  static constexpr std::ptrdiff_t kValueSizeMax = 40;          ///< the colon, and a number or an empty string

  char* limit() { return bytes_ + sizeof bytes_ - sizeof kCutEnd; }

  /// "2026-11-21T10:00:00.123Z INFO  server started"
  void begin_text(LogLevel level, std::string_view message, Time now) {
    const auto second = std::chrono::floor<std::chrono::seconds>(now);
    char time[kRfc3339SizeMax];
    const std::size_t size = write_rfc3339(second, time);
    put({time, size == 0 ? 0 : size - 1});
    const auto thousandths =
        static_cast<unsigned>(std::chrono::floor<std::chrono::milliseconds>(now - second).count());
    for (const char c :
         {'.', static_cast<char>('0' + thousandths / 100), static_cast<char>('0' + thousandths / 10 % 10),
          static_cast<char>('0' + thousandths % 10), 'Z', ' '})
      *cursor_++ = c;
    put(kLevelColumns[static_cast<std::size_t>(level)]);
    // The message is a sentence: its quotes stay as they are.
    while (!cut_) {
      const std::size_t quote = message.find('"');
      put_escaped(message.substr(0, quote), limit() - 1);
      if (cut_ || quote == std::string_view::npos) return;
      *cursor_++ = '"';
      message.remove_prefix(quote + 1);
      cut_ = limit() - cursor_ < 2;
    }
  }

  void put(std::string_view text) {
    std::memcpy(cursor_, text.data(), text.size());
    cursor_ += text.size();
  }
  void put_escaped(std::string_view text, char* end) {
    const BoundedWrite written = write_visible_escaped(cursor_, end, text);
    cursor_ = written.end;
    if (written.read != text.size()) cut_ = true;
  }
  /// False, and the line is cut, when only a part had room.
  bool put_string(std::string_view text) {
    if (limit() - cursor_ < 2) {
      cut_ = true;
      return false;
    }
    *cursor_++ = '"';
    put_escaped(text, limit() - 1);
    *cursor_++ = '"';
    return !cut_;
  }
  bool put_key(std::string_view key) {
    if (!as_text_ || !is_word(key)) return put_string(key);
    put_escaped(key, limit());
    return !cut_;
  }
  void put_text(std::string_view text) {
    if (as_text_ && is_word(text))
      put_escaped(text, limit());
    else
      put_string(text);
  }
  void put_real(double value) {
    const bool quoted = !std::isfinite(value) && !as_text_;
    if (quoted) *cursor_++ = '"';
    cursor_ = write_double(cursor_, value);
    if (quoted) *cursor_++ = '"';
  }

  const bool as_text_;
  bool cut_ = false;
  char bytes_[kLogLineSizeMax];
  char* cursor_ = bytes_;
};

/// The process's output. Its state is constant-initialised and never destroyed: a log line may come from
/// anywhere.
class Output {
 public:
  constexpr Output() = default;

  int replace(int descriptor) {
    const std::lock_guard lock(mutex_);
    struct stat status{};
    may_stall_ = ::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode);
    stalled_ = false;
    mid_line_ = false;
    return std::exchange(descriptor_, descriptor);
  }

  void write(std::string_view line) {
    const std::lock_guard lock(mutex_);
    if (unreported_ != 0 && !report_drops()) {
      drop();
      return;
    }
    if (!send(line)) drop();
  }

  std::uint64_t dropped() {
    const std::lock_guard lock(mutex_);
    return dropped_;
  }

 private:
  void drop() {
    ++dropped_;
    ++unreported_;
  }

  bool report_drops() {
    Line line(LogLevel::warn, "log lines were dropped because the output stalled");
    line.add({"count", unreported_});
    if (!send(line.finish())) return false;
    unreported_ = 0;
    return true;
  }

  /// A pipe that polls as writable takes PIPE_BUF bytes at once, so the write after it does not wait.
  bool ready() {
    if (!may_stall_) return true;
    pollfd target{.fd = descriptor_, .events = POLLOUT, .revents = 0};
    const int wait_ms = stalled_ ? 0 : static_cast<int>(kLogWaitMax.count());
    const int count = ::poll(&target, 1, wait_ms);
    stalled_ = count != 1 || (target.revents & POLLOUT) == 0;
    return !stalled_;
  }

  bool send(std::string_view line) {
    if (mid_line_ && (!ready() || ::write(descriptor_, "\n", 1) != 1)) return false;
    mid_line_ = false;
    const std::size_t size = line.size();
    while (!line.empty()) {
      if (!ready()) break;
      const ssize_t written = ::write(descriptor_, line.data(), line.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) break;
      line.remove_prefix(static_cast<std::size_t>(written));
    }
    mid_line_ = !line.empty() && line.size() != size;
    return line.empty();
  }

  std::mutex mutex_;
  int descriptor_ = STDERR_FILENO;
  bool may_stall_ = true;
  bool stalled_ = false;   ///< The last wait was in vain: do not wait again until it moves.
  bool mid_line_ = false;  ///< A part of a line was written; the next begins on a line of its own.
  std::uint64_t dropped_ = 0;
  std::uint64_t unreported_ = 0;
};

constinit Output process_output;

}  // namespace

std::string_view to_string(LogLevel level) {
  return kLevelNames[static_cast<std::size_t>(level)];
}

void set_log_level(LogLevel level) {
  detail::log_threshold.store(level, std::memory_order_relaxed);
}

void set_log_format(LogFormat format) {
  process_format.store(format, std::memory_order_relaxed);
}

LogFormat log_format() {
  return process_format.load(std::memory_order_relaxed);
}

int set_log_output(int descriptor) {
  return process_output.replace(descriptor);
}

std::uint64_t log_lines_dropped() {
  return process_output.dropped();
}

void detail::write_log(LogLevel level, std::string_view message, LogFields fields) noexcept {
  const int saved_errno = errno;  // a log line before strerror(errno) must not change it
  Line line(level, message);
  for (const LogField& field : fields) line.add(field);
  process_output.write(line.finish());
  errno = saved_errno;
}

}  // namespace bedplate
