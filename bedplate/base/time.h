// SPDX-License-Identifier: Apache-2.0
// Time: UTC microseconds, RFC 3339 text, and a clock that tests can set.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace bedplate {

/// An instant, UTC, to the microsecond. Years 0001 to 9999 can be written as text.
using Time = std::chrono::sys_time<std::chrono::microseconds>;

/// Reads RFC 3339 (any offset, up to 9 fraction digits, truncated to microseconds; leap second :60 reads as
/// :59.999999).
std::optional<Time> parse_rfc3339(std::string_view text);
/// Whether the text is RFC 3339, also where its offset takes it out of the years 1 to 9999 UTC, so that
/// parse_rfc3339() gives nothing.
bool is_rfc3339(std::string_view text);

inline constexpr std::size_t kRfc3339SizeMax = 27;  ///< "2026-11-21T10:00:00.123456Z"

/// Writes UTC with "Z": no fraction when it is zero, else 3 or 6 digits. Returns the size; 0 when the year is
/// outside 0001 to 9999.
std::size_t write_rfc3339(Time time, char* out);
std::string to_rfc3339(Time time);

/// Where "now" comes from. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

/// The system's clock.
class SystemClock final : public Clock {
 public:
  Time now() const override;
};

}  // namespace bedplate
