// SPDX-License-Identifier: Apache-2.0
// Zones: time zones by their names, from the machine's zoneinfo directory or, where that has none, from the program.
//
//   Zones zones("/usr/share/zoneinfo");
//   auto berlin = zones.find("Europe/Berlin");     // std::shared_ptr<const TimeZone>
//   std::string data = zones.description();        // "2025b of /usr/share/zoneinfo"
//
// The machine's data comes first, because operating systems renew it: governments change the rules several times a
// year. A zone that was read stays as it is until the process ends, so that one schedule is not computed by two rules.
// Thread-safe; find() reads a small file, so it blocks.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bedplate/base/result.h"
#include "bedplate/schedule/time_zone.h"

namespace bedplate::schedule {

/// Letters, digits, `_`, `-` and `+`, in up to four parts between slashes: "America/Argentina/Buenos_Aires". So no name
/// leads out of a directory.
bool is_zone_name(std::string_view name);

class Zones {
 public:
  /// `directory` has compiled zones (TZif). Empty, or one that does not exist: the program's own are used.
  explicit Zones(std::string directory = "/usr/share/zoneinfo");
  Zones(const Zones&) = delete;
  Zones& operator=(const Zones&) = delete;

  /// Category::invalid, `time_zone_unknown` (with the most similar name) or `time_zone_unreadable` (with the file).
  Result<std::shared_ptr<const TimeZone>> find(std::string_view name);
  /// Which data is used, for operators: "2025b of /usr/share/zoneinfo", "2025b of this program".
  std::string description() const;
  /// Whether the directory has zones.
  bool uses_directory() const { return uses_directory_; }

 private:
  Result<std::shared_ptr<const TimeZone>> read(const std::string& name) const;
  std::unexpected<Error> unknown(std::string_view name) const;

  const std::string directory_;
  const bool uses_directory_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const TimeZone>>
      known_;  // at most as many as there are zones
};

/// The names that the program has itself, ascending.
std::vector<std::string> built_in_zone_names();
/// The version of tzdata that the program has itself: "2025b".
std::string built_in_zone_version();

}  // namespace bedplate::schedule
