// SPDX-License-Identifier: Apache-2.0
// TimeZone: what the clocks of a place show at an instant, and at which instants they show something.
//
//   std::shared_ptr<const TimeZone> berlin = *zones.find("Europe/Berlin");    // zones.h
//   LocalTime wall = berlin->to_local(now).time;   // 2026-03-29T03:30
//   berlin->to_instants(wall).kind;                // unique, gap (clocks went forward), overlap (they went back)
//
// Immutable, so safe from any thread. Instants and local times are of the years 1 to 9999; others count as the nearest
// of these.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bedplate/base/result.h"
#include "bedplate/base/time.h"

namespace bedplate::schedule {

struct ZoneData;

/// What a clock on the wall shows, to the microsecond; no instant before one knows whose wall.
using LocalTime = std::chrono::local_time<std::chrono::microseconds>;

inline constexpr Time kFirstInstant{std::chrono::sys_days(std::chrono::year(1) / 1 / 1)};
inline constexpr Time kLastInstant{std::chrono::sys_days(std::chrono::year(10'000) / 1 / 1) -
                                   std::chrono::microseconds(1)};

/// What clocks show at an instant.
struct LocalMoment {
  LocalTime time;
  std::chrono::seconds offset{0};  ///< east of Greenwich: local time minus UTC
  bool daylight = false;           ///< daylight saving time
  std::string_view abbreviation;   ///< "CEST"; lives as long as the zone
};

/// When clocks show a local time.
struct Instants {
  enum class Kind : std::uint8_t {
    unique,   ///< once: `first` == `last`
    gap,      ///< never: both are the first instant after the gap
    overlap,  ///< more than once: the first time and the last
  };
  Kind kind = Kind::unique;
  Time first;
  Time last;
};

class TimeZone {
 public:
  /// Of a file's bytes (RFC 9636). Category::invalid, `time_zone_unreadable`.
  static Result<std::shared_ptr<const TimeZone>> from_tzif(std::string name, std::string_view bytes);
  static std::shared_ptr<const TimeZone> utc();
  TimeZone(const TimeZone&) = delete;
  TimeZone& operator=(const TimeZone&) = delete;
  ~TimeZone();

  /// "Europe/Berlin"
  const std::string& name() const { return name_; }

  LocalMoment to_local(Time instant) const;
  Instants to_instants(LocalTime local) const;
  /// The next instant at which the offset, the abbreviation or the daylight saving mark may change. Nothing: it never
  /// does again.
  std::optional<Time> next_change(Time after) const;

  // ---- For this folder.

  static constexpr std::int64_t kEver = std::numeric_limits<std::int64_t>::max();

  /// A span during which nothing changes. Seconds since 1970, UTC; -kEver and kEver where it has no bound.
  struct Span {
    std::int64_t begin_s = -kEver;
    std::int64_t end_s = kEver;
    std::int32_t offset_s = 0;
    bool daylight = false;
    std::string_view abbreviation;
  };
  Span span_at(std::int64_t instant_s) const;

 private:
  TimeZone(std::string name, std::unique_ptr<const ZoneData> data);
  Span by_rule(std::int64_t instant_s, std::int64_t begin_s) const;

  const std::string name_;
  const std::unique_ptr<const ZoneData> data_;
};

}  // namespace bedplate::schedule
