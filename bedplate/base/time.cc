// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/time.h"

#include <cstdint>
#include <cstring>

#include "bedplate/base/text.h"

namespace bedplate {

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr Time kEarliest{sys_days{std::chrono::year{1} / 1 / 1}};
constexpr Time kLatest = Time{sys_days{std::chrono::year{10000} / 1 / 1}} - microseconds{1};

/// Reads fixed fields from the front; after a failure every further read fails too.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  /// Exactly `width` digits with a value in [least, most].
  int number(int width, int least, int most) {
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
  void expect(char wanted) {
    if (to_upper(take()) != wanted) good_ = false;
  }
  bool skip(char wanted) {
    if (!good_ || text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }
  char take() {
    if (text_.empty()) {
      good_ = false;
      return '\0';
    }
    const char c = text_.front();
    text_.remove_prefix(1);
    return c;
  }
  /// One to nine digits after the point, as microseconds.
  microseconds fraction() {
    std::int64_t value = 0;
    int count = 0;
    for (; !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; ++count) {
      const char c = take();
      if (count < 6) value = value * 10 + (c - '0');
    }
    if (count < 1 || count > 9) good_ = false;
    for (int i = count; i < 6; ++i) value *= 10;
    return microseconds{value};
  }
  bool good() const { return good_; }
  bool at_end() const { return good_ && text_.empty(); }

 private:
  std::string_view text_;
  bool good_ = true;
};

/// What has to be added to local time to make it UTC.
minutes read_offset(Scanner& in) {
  const char sign = to_upper(in.take());
  if (sign == 'Z') return minutes{0};
  const int h = in.number(2, 0, 23);
  in.expect(':');
  const int m = in.number(2, 0, 59);
  const minutes offset = hours{h} + minutes{m};
  if (sign == '+') return -offset;
  if (sign != '-') in.number(1, 1, 0);  // neither: fails
  return offset;
}

char* write_digits(char* out, unsigned value) {
  std::memcpy(out, detail::kDigitPairs + std::size_t{2} * value, 2);
  return out + 2;
}

}  // namespace

std::optional<Time> parse_rfc3339(std::string_view text) {
  Scanner in(text);
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
  const minutes to_utc = read_offset(in);
  if (!in.at_end()) return std::nullopt;

  const year_month_day date{std::chrono::year{year}, std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  const auto minute_utc = sys_days{date} + hours{hour} + minutes{minute} + to_utc;
  Time time = minute_utc + seconds{second} + fraction;
  if (second == 60) {
    // Leap seconds stand at the end of a UTC day only; here the second before lasts until it is over.
    const auto next = minute_utc + minutes{1};
    if (next != std::chrono::floor<days>(next)) return std::nullopt;
    time = Time{next} - microseconds{1};
  }
  if (time < kEarliest || time > kLatest) return std::nullopt;
  return time;
}

std::size_t write_rfc3339(Time time, char* out) {
  if (time < kEarliest || time > kLatest) return 0;
  const auto day = std::chrono::floor<days>(time);
  const year_month_day date{day};
  const auto of_day = static_cast<std::uint64_t>((time - day).count());
  const auto second_of_day = static_cast<unsigned>(of_day / 1'000'000);
  const auto fraction = static_cast<unsigned>(of_day % 1'000'000);
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));

  char* p = out;
  p = write_digits(p, year / 100);
  p = write_digits(p, year % 100);
  *p++ = '-';
  p = write_digits(p, static_cast<unsigned>(date.month()));
  *p++ = '-';
  p = write_digits(p, static_cast<unsigned>(date.day()));
  *p++ = 'T';
  p = write_digits(p, second_of_day / 3600);
  *p++ = ':';
  p = write_digits(p, second_of_day / 60 % 60);
  *p++ = ':';
  p = write_digits(p, second_of_day % 60);
  if (fraction != 0) {
    *p++ = '.';
    p = write_digits(p, fraction / 10'000);
    p = write_digits(p, fraction / 100 % 100);
    p = write_digits(p, fraction % 100);
    if (fraction % 1000 == 0) p -= 3;
  }
  *p++ = 'Z';
  return static_cast<std::size_t>(p - out);
}

std::string to_rfc3339(Time time) {
  char text[kRfc3339SizeMax];
  return std::string(text, write_rfc3339(time, text));
}

Time SystemClock::now() const {
  return std::chrono::time_point_cast<microseconds>(std::chrono::system_clock::now());
}

}  // namespace bedplate
