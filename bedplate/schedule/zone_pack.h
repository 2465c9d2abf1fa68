// SPDX-License-Identifier: Apache-2.0
// The time zones inside the program, made by pack/pack_zones.cc at build time: "BPZ1", the size of what follows when
// inflated (32 bits, little-endian), a zlib stream (RFC 1950). In it: the version, a line "NAME OFFSET SIZE" for each
// zone, an empty line, the TZif files.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bedplate/base/result.h"

namespace bedplate::schedule {

/// Unpacked: half a megabyte.
class ZonePack {
 public:
  /// Category::internal, `time_zones_unreadable`, when the bytes are not such a file.
  static Result<ZonePack> open(std::string_view bytes);

  /// "2025b"
  const std::string& version() const { return version_; }
  /// Ascending.
  std::vector<std::string_view> names() const;
  /// The TZif file; empty when there is no such zone.
  std::string_view find(std::string_view name) const;

 private:
  struct Entry {
    std::string name;
    std::size_t offset;
    std::size_t size;
  };
  bool read_index();

  std::string content_;
  std::string version_;
  std::vector<Entry> entries_;
};

}  // namespace bedplate::schedule
