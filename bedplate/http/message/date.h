// SPDX-License-Identifier: Apache-2.0
// HTTP dates (RFC 9110 section 5.6.7).
//
//   write_http_date(now_s, out);                    // "Sun, 06 Nov 1994 08:49:37 GMT"
//   parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT")   // the obsolete forms are read too
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace bedplate::http {

inline constexpr std::size_t kHttpDateSize = 29;

/// Seconds since 1970, years 1970 to 9999. Writes kHttpDateSize characters.
void write_http_date(std::int64_t unix_s, char* out);

/// All three forms; nothing for anything else, also for a date that does not exist. The weekday is not
/// compared with the date.
std::optional<std::int64_t> parse_http_date(std::string_view text);

/// The line "Date: ...\r\n" of the present second, made once a second. One a loop.
class DateLine {
 public:
  std::string_view now();

 private:
  static constexpr std::size_t kSize = 6 + kHttpDateSize + 2;
  std::int64_t second_ = -1;
  std::array<char, kSize> line_{};
};

}  // namespace bedplate::http
