// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/message/date.h"

#include <time.h>

#include <chrono>
#include <cstring>

#include "bedplate/base/text.h"

namespace bedplate::http {
namespace {

constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr const char* kLongDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                     "Thursday", "Friday", "Saturday"};
constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

char* put(char* out, const char* text, std::size_t size) {
  std::memcpy(out, text, size);
  return out + size;
}

char* put_two(char* out, unsigned number) {
  return put(out, detail::kDigitPairs + 2 * number, 2);
}

// Reads off the front; every take fails for good once one has failed.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  void take(std::string_view literal) {
    ok_ = ok_ && rest_.starts_with(literal);
    if (ok_) rest_.remove_prefix(literal.size());
  }
  unsigned take_digits(std::size_t count) {
    unsigned number = 0;
    ok_ = ok_ && rest_.size() >= count;
    for (std::size_t i = 0; ok_ && i < count; ++i) {
      ok_ = rest_[i] >= '0' && rest_[i] <= '9';
      number = number * 10 + static_cast<unsigned>(rest_[i] - '0');
    }
    if (ok_) rest_.remove_prefix(count);
    return number;
  }
  template <std::size_t N>
  unsigned take_one_of(const char* const (&names)[N]) {
    for (unsigned i = 0; ok_ && i < N; ++i) {
      if (!rest_.starts_with(names[i])) continue;
      rest_.remove_prefix(std::strlen(names[i]));
      return i;
    }
    ok_ = false;
    return 0;
  }
  bool starts_with(char c) const { return rest_.starts_with(c); }
  bool at_end() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

struct Parts {
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

void take_time(Scanner& scanner, Parts& parts) {
  parts.hour = scanner.take_digits(2);
  scanner.take(":");
  parts.minute = scanner.take_digits(2);
  scanner.take(":");
  parts.second = scanner.take_digits(2);
}

bool parse_imf_fixdate(std::string_view text, Parts& parts) {
  Scanner scanner(text);
  scanner.take_one_of(kDays);
  scanner.take(", ");
  parts.day = scanner.take_digits(2);
  scanner.take(" ");
  parts.month = scanner.take_one_of(kMonths) + 1;
  scanner.take(" ");
  parts.year = scanner.take_digits(4);
  scanner.take(" ");
  take_time(scanner, parts);
  scanner.take(" GMT");
  return scanner.at_end();
}

// "Sunday, 06-Nov-94 08:49:37 GMT": two digits of the year, within fifty years of 2020 or so.
bool parse_rfc850(std::string_view text, Parts& parts) {
  Scanner scanner(text);
  scanner.take_one_of(kLongDays);
  scanner.take(", ");
  parts.day = scanner.take_digits(2);
  scanner.take("-");
  parts.month = scanner.take_one_of(kMonths) + 1;
  scanner.take("-");
  const unsigned year = scanner.take_digits(2);
  parts.year = year >= 70 ? 1900 + year : 2000 + year;
  scanner.take(" ");
  take_time(scanner, parts);
  scanner.take(" GMT");
  return scanner.at_end();
}

// "Sun Nov  6 08:49:37 1994"
bool parse_asctime(std::string_view text, Parts& parts) {
  Scanner scanner(text);
  scanner.take_one_of(kDays);
  scanner.take(" ");
  parts.month = scanner.take_one_of(kMonths) + 1;
  scanner.take(" ");
  const bool padded = scanner.starts_with(' ');
  if (padded) scanner.take(" ");
  parts.day = scanner.take_digits(padded ? 1 : 2);
  scanner.take(" ");
  take_time(scanner, parts);
  scanner.take(" ");
  parts.year = scanner.take_digits(4);
  return scanner.at_end();
}

}  // namespace

void write_http_date(std::int64_t unix_s, char* out) {
  using namespace std::chrono;
  const sys_seconds time{seconds(unix_s)};
  const sys_days day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
  char* p = put(out, kDays[weekday(day).c_encoding()], 3);
  p = put(p, ", ", 2);
  p = put_two(p, static_cast<unsigned>(date.day()));
  *p++ = ' ';
  p = put(p, kMonths[static_cast<unsigned>(date.month()) - 1], 3);
  *p++ = ' ';
  p = put_two(p, year / 100 % 100);
  p = put_two(p, year % 100);
  *p++ = ' ';
  p = put_two(p, static_cast<unsigned>(clock.hours().count()));
  *p++ = ':';
  p = put_two(p, static_cast<unsigned>(clock.minutes().count()));
  *p++ = ':';
  p = put_two(p, static_cast<unsigned>(clock.seconds().count()));
  put(p, " GMT", 4);
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  Parts parts;
  if (!parse_imf_fixdate(text, parts) && !parse_rfc850(text, parts) && !parse_asctime(text, parts))
    return std::nullopt;
  using namespace std::chrono;
  const year_month_day date{year(static_cast<int>(parts.year)), month(parts.month), day(parts.day)};
  if (!date.ok() || parts.hour > 23 || parts.minute > 59 || parts.second > 60) return std::nullopt;
  const sys_seconds time = sys_days(date) + hours(parts.hour) + minutes(parts.minute) + seconds(parts.second);
  return time.time_since_epoch().count();
}

std::string_view DateLine::now() {
  timespec time;
  clock_gettime(CLOCK_REALTIME_COARSE, &time);
  if (time.tv_sec != second_) {
    second_ = time.tv_sec;
    char* p = put(line_.data(), "Date: ", 6);
    write_http_date(second_, p);
    put(p + kHttpDateSize, "\r\n", 2);
  }
  return {line_.data(), line_.size()};
}

}  // namespace bedplate::http
