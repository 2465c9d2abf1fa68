// SPDX-License-Identifier: Apache-2.0
// How RFC 3339 is read, also while compiling: a date that stands in the source can be checked there. Callers use
// parse_rfc3339() of time.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "bedplate/base/text.h"
#include "bedplate/base/time.h"

namespace bedplate::detail {

inline constexpr Time kEarliestTime{std::chrono::sys_days{std::chrono::year{1} / 1 / 1}};
inline constexpr Time kLatestTime =
    Time{std::chrono::sys_days{std::chrono::year{10000} / 1 / 1}} - std::chrono::microseconds{1};

/// Reads fixed fields from the front; after a failure every further read fails too.
class Rfc3339Scanner {
 public:
  constexpr explicit Rfc3339Scanner(std::string_view text) : text_(text) {}

  /// Exactly `width` digits with a value in [least, most].
  constexpr int number(int width, int least, int most) {
    int value = 0;
    for (int i = 0; i < width; ++i) {
      const char c = take();
      if (c < '0' || c > '9') good_ = false;
      value = value * 10 + (c - '0');
      if (!good_) return least;
    }
    if (value < least || value > most) good_ = false;
    return good_ ? value : least;
  }
  constexpr void expect(char wanted) {
    if (to_upper(take()) != wanted) good_ = false;
  }
  constexpr bool skip(char wanted) {
    if (!good_ || text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }
  constexpr char take() {
    if (text_.empty()) {
      good_ = false;
      return '\0';
    }
    const char c = text_.front();
    text_.remove_prefix(1);
    return c;
  }
  /// One to nine digits after the point, as microseconds.
  constexpr std::chrono::microseconds fraction() {
    std::int64_t value = 0;
    int count = 0;
    for (; !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; ++count) {
      const char c = take();
      if (count < 6) value = value * 10 + (c - '0');
    }
    if (count < 1 || count > 9) good_ = false;
    for (int i = count; i < 6; ++i) value *= 10;
    return std::chrono::microseconds{value};
  }
  constexpr bool good() const { return good_; }
  constexpr bool at_end() const { return good_ && text_.empty(); }

 private:
  std::string_view text_;
  bool good_ = true;
};

/// What has to be added to local time to make it UTC.
constexpr std::chrono::minutes read_rfc3339_offset(Rfc3339Scanner& in) {
  const char sign = to_upper(in.take());
  if (sign == 'Z') return std::chrono::minutes{0};
  const int h = in.number(2, 0, 23);
  in.expect(':');
  const int m = in.number(2, 0, 59);
  const std::chrono::minutes offset = std::chrono::hours{h} + std::chrono::minutes{m};
  if (sign == '+') return -offset;
  if (sign != '-') in.number(1, 1, 0);  // neither: fails
  return offset;
}

/// What was read.
struct Rfc3339 {
  bool is_good = false;
  Time time{};

  /// In the years that a Time can be written in.
  constexpr bool is_representable() const { return is_good && time >= kEarliestTime && time <= kLatestTime; }
};

/// Grammar and calendar; the year in UTC may be 0 or 10000.
constexpr Rfc3339 read_rfc3339(std::string_view text) {
  using std::chrono::days;
  using std::chrono::hours;
  using std::chrono::microseconds;
  using std::chrono::minutes;
  using std::chrono::seconds;
  using std::chrono::sys_days;
  Rfc3339Scanner in(text);
  const int year = in.number(4, 0, 9999);
  in.expect('-');
  const int month = in.number(2, 1, 12);
  in.expect('-');
  const int day = in.number(2, 1, 31);
  in.expect('T');
  const int hour = in.number(2, 0, 23);
  in.expect(':');
  const int minute = in.number(2, 0, 59);
  in.expect(':');
  const int second = in.number(2, 0, 60);
  microseconds fraction{0};
  if (in.skip('.')) fraction = in.fraction();
  const minutes to_utc = read_rfc3339_offset(in);
  if (!in.at_end()) return {};

  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return {};
  const auto minute_utc = sys_days{date} + hours{hour} + minutes{minute} + to_utc;
  Time time = minute_utc + seconds{second} + fraction;
  if (second == 60) {
    // Leap seconds stand at the end of a UTC day only; here the second before lasts until it is over.
    const auto next = minute_utc + minutes{1};
    if (next != std::chrono::floor<days>(next)) return {};
    time = Time{next} - microseconds{1};
  }
  return {true, time};
}

}  // namespace bedplate::detail
