// SPDX-License-Identifier: Apache-2.0
// Reads TZif, the compiled form of a time zone (RFC 9636, which replaced RFC 8536): versions 1 to 4.
//
//   Result<ZoneData> data = parse_tzif(bytes_of("/usr/share/zoneinfo/Europe/Berlin"));
//
// The bytes may be anybody's: whatever they are, the answer is zone data whose indexes hold, or an error that says what
// is wrong. Files with leap seconds ("right/...") are refused, because Time, like POSIX's clock, does not count them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/schedule/posix_rule.h"

namespace bedplate::schedule {

/// Debian's largest file has 3.6 KB.
inline constexpr std::size_t kTzifSizeMax = std::size_t{128} * 1024;

/// What a clock of the zone may show.
struct ZoneType {
  std::int32_t offset_s = 0;  ///< east of Greenwich; less than 26 hours either way
  bool daylight = false;
  std::string abbreviation;  ///< "CEST"
};

struct ZoneData {
  std::vector<std::int64_t> changes;       ///< seconds since 1970 (UTC), ascending, none twice
  std::vector<std::uint8_t> change_types;  ///< what is in force from each change on
  std::vector<ZoneType> types;             ///< the first: what was in force before the first change
  std::optional<PosixRule> rule;  ///< what is in force after the last change; without it, that change
};

/// Category::invalid, `time_zone_unreadable`.
Result<ZoneData> parse_tzif(std::string_view bytes);

}  // namespace bedplate::schedule
