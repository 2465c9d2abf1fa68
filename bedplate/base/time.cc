// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/time.h"

#include <cstdint>
#include <cstring>

#include "bedplate/base/rfc3339.h"
#include "bedplate/base/text.h"

namespace bedplate {

namespace {

using std::chrono::days;
using std::chrono::microseconds;
using std::chrono::year_month_day;

char* write_digits(char* out, unsigned value) {
  std::memcpy(out, detail::kDigitPairs + std::size_t{2} * value, 2);
  return out + 2;
}

}  // namespace

std::optional<Time> parse_rfc3339(std::string_view text) {
  const detail::Rfc3339 read = detail::read_rfc3339(text);
  return read.is_representable() ? std::optional(read.time) : std::nullopt;
}

bool is_rfc3339(std::string_view text) {
  return detail::read_rfc3339(text).is_good;
}

std::size_t write_rfc3339(Time time, char* out) {
  if (time < detail::kEarliestTime || time > detail::kLatestTime) return 0;
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
