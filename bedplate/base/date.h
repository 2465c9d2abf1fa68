// SPDX-License-Identifier: Apache-2.0
// Date and Duration: a day without a time of day, and an exact span of time.
//
//   std::optional<Date> day = parse_date("2026-11-30");               // RFC 3339 full-date
//   std::optional<Duration> wait = parse_duration("PT1H30M");         // ISO 8601
//   std::string text = to_iso8601(*wait);                             // "PT1H30M"
//
// A Date is not a Time: it has no time zone, and it is written without one.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace bedplate {

/// A day of the Gregorian calendar. Years 0001 to 9999 can be written as text.
using Date = std::chrono::sys_days;

/// `2026-11-30` (RFC 3339 section 5.6, full-date), a day that exists; nothing else.
std::optional<Date> parse_date(std::string_view text);
/// Empty when the year is outside 0001 to 9999.
std::string to_date_text(Date date);

/// A span of time to the microsecond, of either sign.
using Duration = std::chrono::microseconds;

/// ISO 8601: `P`, weeks alone (`P2W`) or days, `T` with hours, minutes and seconds, each at most once and in this
/// order, the last with a fraction of up to 6 digits if it is seconds; a `-` before the P negates all of it. Years and
/// months are refused, because they have no one length; a day is 24 hours. Nothing when it does not fit 64 bits of
/// microseconds.
std::optional<Duration> parse_duration(std::string_view text);
/// In hours, minutes and seconds: "PT36H", "-PT0.25S", "PT0S".
std::string to_iso8601(Duration duration);

}  // namespace bedplate
