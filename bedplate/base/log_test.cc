// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "bedplate/base/text.h"
#include "bedplate/base/time.h"

namespace bedplate {
namespace {

/// Lines go to a file in memory for as long as this lives.
class Captured {
 public:
  explicit Captured(LogLevel level = LogLevel::info, LogFormat format = LogFormat::json)
      : level_(log_level()), format_(log_format()) {
    set_log_format(format);
    file_ = ::memfd_create("log", 0);
    previous_ = set_log_output(file_);
    set_log_level(level);
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  ~Captured() {
    set_log_output(previous_);
    set_log_level(level_);
    set_log_format(format_);
    ::close(file_);
  }
  std::string text() const {
    std::string bytes(static_cast<std::size_t>(::lseek(file_, 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(file_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    return bytes;
  }
  /// What follows the time on each line.
  std::vector<std::string> lines() const {
    std::vector<std::string> found;
    std::string all = text();
    for (std::size_t start = 0; start < all.size();) {
      const std::size_t end = all.find('\n', start);
      const std::string line = all.substr(start, end - start);
      EXPECT_TRUE(line.starts_with("{\"time\":\"")) << line;
      found.push_back(line.substr(line.find("\"level\"")));
      start = end + 1;
    }
    return found;
  }

 private:
  LogLevel level_;
  LogFormat format_;
  int file_;
  int previous_;
};

TEST(Log, WritesOneJsonObjectALine) {
  const Captured captured;
  const std::string url = "http://[::1]:8080";
  log_info("server started",
           {{"url", url}, {"threads", 2}, {"load", 0.5}, {"tls", false}, {"big", UINT64_MAX}});
  log_warn("plain");
  EXPECT_EQ(captured.lines()[0],
            R"("level":"info","message":"server started","url":"http://[::1]:8080","threads":2,"load":0.5,)"
            R"("tls":false,"big":18446744073709551615})");
  EXPECT_EQ(captured.lines()[1], R"("level":"warn","message":"plain"})");
}

TEST(Log, LeavesOutWhatIsBelowTheLevel) {
  const Captured captured(LogLevel::warn);
  EXPECT_FALSE(log_enabled(LogLevel::info));
  log_debug("no");
  log_info("no");
  log_warn("yes");
  log_error("yes");
  EXPECT_EQ(captured.lines().size(), 2U);
}

TEST(Log, NobodyForgesALine) {
  const Captured captured;
  log_info("user agent", {{"value", "x\"}\n{\"level\":\"error\",\"message\":\"forged\"}\r\x1b[31m\xFF"},
                          {"key\n\"", "a key too"}});
  ASSERT_EQ(captured.lines().size(), 1U);
  EXPECT_EQ(captured.lines()[0],
            "\"level\":\"info\",\"message\":\"user agent\",\"value\":\"x\\\"}\\n{\\\"level\\\":\\\"error\\\","
            "\\\"message\\\":\\\"forged\\\"}\\r\\u001b[31m\xEF\xBF\xBD\",\"key\\n\\\"\":\"a key too\"}");
}

TEST(Log, EscapesWhatADisplayObeysInEveryFormat) {
  for (const LogFormat format : {LogFormat::json, LogFormat::text}) {
    const Captured captured(LogLevel::info, format);
    log_info("\x7F\xC2\x9B", {{"\xE2\x80\xAE", "\xE2\x80\xA8\xE2\x81\xA6\xD8\x9C\xE2\x80\x8F"}});
    const std::string text = captured.text();
    for (const char* escape : {"\\u007f", "\\u009b", "\\u202e", "\\u2028", "\\u2066", "\\u061c", "\\u200f"})
      EXPECT_NE(text.find(escape), std::string::npos) << escape << " in " << text;
    for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= ' ' && c < 0x7F)) << text;
  }
}

TEST(Log, LeavesOutFieldsWithoutText) {
  const Captured captured;
  log_info("request", {{"user", ""}, {"status", 0}, {"trace_id", std::string_view()}, {"last", false}});
  EXPECT_EQ(captured.lines()[0], R"("level":"info","message":"request","status":0,"last":false})");
}

TEST(Log, WritesTextForPeople) {
  const Captured captured(LogLevel::debug, LogFormat::text);
  log_info("server started", {{"url", "http://[::1]:8080"}, {"threads", 2}, {"user", ""}});
  log_warn("unknown key \"a\"\n", {{"a key", "two words"},
                                   {"equation", "a=b"},
                                   {"quoted", "\"\\"},
                                   {"name", "Zo\xC3\xAB"},
                                   {"nan", std::nan("")}});
  log_error("");
  log_debug("x");
  const std::string all = captured.text();
  constexpr std::size_t kTime = sizeof "2026-11-21T10:00:00.123Z ";
  std::vector<std::string> lines;
  for (std::size_t start = 0; start < all.size();) {
    const std::size_t end = all.find('\n', start);
    EXPECT_EQ(all.substr(start + kTime - 3, 2), "Z ") << all;
    EXPECT_TRUE(parse_rfc3339(all.substr(start, kTime - 2))) << all;
    lines.push_back(all.substr(start + kTime - 1, end - start - kTime + 1));
    start = end + 1;
  }
  EXPECT_EQ(lines,
            (std::vector<std::string>{"INFO  server started url=http://[::1]:8080 threads=2",
                                      "WARN  unknown key \"a\"\\n \"a key\"=\"two words\" equation=\"a=b\" "
                                      "quoted=\"\\\"\\\\\" name=\"Zo\xC3\xAB\" nan=nan",
                                      "ERROR ", "DEBUG x"}));
}

TEST(Log, WritesWhatIsNotANumberAsText) {
  const Captured captured;
  log_info("ratios", {{"a", std::numeric_limits<double>::quiet_NaN()}, {"b", -HUGE_VAL}});
  EXPECT_EQ(captured.lines()[0], R"("level":"info","message":"ratios","a":"nan","b":"-inf"})");
}

TEST(Log, CutsWhatDoesNotFit) {
  for (std::size_t size = kLogLineSizeMax - 200; size < kLogLineSizeMax + 10; ++size) {
    const Captured captured;
    log_info("long",
             {{"value", std::string(size, 'x')}, {"number", std::numeric_limits<std::int64_t>::min()}});
    const std::string line = captured.text();
    ASSERT_LE(line.size(), kLogLineSizeMax);
    const bool whole = line.ends_with("\"number\":-9223372036854775808}\n");
    ASSERT_TRUE(whole || line.ends_with(",\"truncated\":true}\n")) << line.substr(line.size() - 60);
  }
}

RC_GTEST_PROP(Log, AnyLineIsBoundedAndWhole,
              (const std::string& message, const std::string& key, const std::string& value)) {
  const LogFormat format = *rc::gen::element(LogFormat::json, LogFormat::text);
  const Captured captured(LogLevel::info, format);
  const auto times = *rc::gen::inRange(0, 60);
  std::string many;
  for (int i = 0; i < times; ++i) many += value + "\"\x01";
  log_error(message, {{key, many}, {"n", 1}, {many, value}, {"last", 2.5}});
  const std::string line = captured.text();
  RC_ASSERT(line.size() <= kLogLineSizeMax);
  RC_ASSERT(line.find('\n') == line.size() - 1);
  if (format == LogFormat::json)
    RC_ASSERT(line.ends_with("\"last\":2.5}\n") || line.ends_with("\"truncated\":true}\n"));
  else
    RC_ASSERT(line.ends_with(" last=2.5\n") || line.ends_with(" truncated=true\n"));
  RC_ASSERT(is_valid_utf8(line));
}

TEST(Log, LinesOfThreadsDoNotMix) {
  const Captured captured;
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < kEach; ++i) log_info(std::string(200, static_cast<char>('a' + t)), {{"i", i}});
      });
    }
  }
  const auto lines = captured.lines();
  ASSERT_EQ(lines.size(), static_cast<std::size_t>(kThreads * kEach));
  for (const auto& line : lines)
    ASSERT_EQ(line.find("\"message\":\"" + std::string(200, line[27])), 15U) << line;
}

TEST(Log, KeepsErrno) {
  const Captured captured;
  errno = ENOENT;
  log_info("line");
  EXPECT_EQ(errno, ENOENT);
}

TEST(Log, DropsLinesRatherThanWaitForAStalledReader) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const int previous = set_log_output(ends[1]);
  const std::uint64_t dropped_before = log_lines_dropped();

  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 2'000; ++i) log_info(std::string(1'000, 'x'));
  const auto took = std::chrono::steady_clock::now() - start;
  const std::uint64_t dropped = log_lines_dropped() - dropped_before;
  EXPECT_GT(dropped, 0U);
  EXPECT_LT(dropped, 2'000U);
  EXPECT_LT(took, 2'000 * kLogWaitMax / 2) << "it waits once, not for every line";

  // The reader comes back: the next line is preceded by one that says what was lost.
  std::string drained(4'000'000, '\0');
  ASSERT_GT(::read(ends[0], drained.data(), drained.size()), 0);
  log_info("after");
  const ssize_t size = ::read(ends[0], drained.data(), drained.size());
  ASSERT_GT(size, 0);
  drained.resize(static_cast<std::size_t>(size));
  EXPECT_NE(drained.find("\"log lines were dropped because the output stalled\",\"count\":" +
                         std::to_string(dropped)),
            std::string::npos);
  EXPECT_NE(drained.find("\"after\""), std::string::npos);

  set_log_output(previous);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Log, SurvivesAnOutputThatFails) {
  const int full = ::open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  const int previous = set_log_output(full);
  const std::uint64_t before = log_lines_dropped();
  log_info("nowhere");
  log_info("nowhere");
  EXPECT_EQ(log_lines_dropped(), before + 2);
  set_log_output(previous);
  ::close(full);
}

}  // namespace
}  // namespace bedplate
