// SPDX-License-Identifier: Apache-2.0
#include "bedplate/schedule/tzif.h"

#include <fmt/format.h>

#include <utility>

namespace bedplate::schedule {
namespace {

constexpr std::size_t kHeaderSize = 44;
constexpr std::int64_t kChangeMin = -(std::int64_t{1} << 59);  // RFC 9636 section 3.2: not before that
constexpr std::int64_t kChangeMax = std::int64_t{1} << 59;
constexpr std::int32_t kOffsetMax = 26 * 3600;

std::unexpected<Error> unreadable(std::string_view why) {
  return fail(Category::invalid, "time_zone_unreadable", fmt::format("The time zone file {}.", why));
}

/// Big-endian, two's complement.
std::int64_t read_int(std::string_view bytes) {
  std::uint64_t value =
      bytes.size() == 4 && (static_cast<unsigned char>(bytes[0]) & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(value);
}

/// RFC 9636 section 3.1. The counts are at most 2^32 - 1 each.
struct Header {
  char version = 0;
  std::uint64_t ut_indicators = 0;
  std::uint64_t standard_indicators = 0;
  std::uint64_t leap_seconds = 0;
  std::uint64_t changes = 0;
  std::uint64_t types = 0;
  std::uint64_t characters = 0;

  std::uint64_t data_size(std::uint64_t time_size) const {
    return changes * time_size + changes + types * 6 + characters + leap_seconds * (time_size + 4) +
           standard_indicators + ut_indicators;
  }
};

/// What is left to read.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : left_(bytes) {}
  bool has(std::uint64_t size) const { return size <= left_.size(); }
  /// There are so many.
  std::string_view take(std::size_t size) {
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }
  std::string_view rest() const { return left_; }

 private:
  std::string_view left_;
};

Result<Header> take_header(Bytes& bytes) {
  if (!bytes.has(kHeaderSize)) return unreadable("ends within a header");
  std::string_view text = bytes.take(kHeaderSize);
  if (!text.starts_with("TZif")) return unreadable("is not TZif");
  Header header;
  header.version = text[4];
  std::uint64_t* const counts[] = {&header.ut_indicators, &header.standard_indicators,
                                   &header.leap_seconds,  &header.changes,
                                   &header.types,         &header.characters};
  text.remove_prefix(20);
  for (std::uint64_t* count : counts) {
    *count = static_cast<std::uint32_t>(read_int(text.substr(0, 4)));
    text.remove_prefix(4);
  }
  return header;
}

Result<void> check_counts(const Header& header) {
  if (header.types == 0) return unreadable("has no local time type");
  if (header.types > 256) return unreadable("has more than 256 local time types");
  if (header.characters == 0) return unreadable("has no abbreviations");
  if (header.ut_indicators != 0 && header.ut_indicators != header.types)
    return unreadable("has another number of UT indicators than of types");
  if (header.standard_indicators != 0 && header.standard_indicators != header.types)
    return unreadable("has another number of standard time indicators than of types");
  if (header.leap_seconds != 0)
    return unreadable("has leap seconds, which this clock does not count: take the zone without `right/`");
  return {};
}

Result<void> read_changes(Bytes& bytes, const Header& header, std::size_t time_size, ZoneData& data) {
  data.changes.reserve(header.changes);
  for (std::uint64_t i = 0; i < header.changes; ++i) {
    const std::int64_t at = read_int(bytes.take(time_size));
    if (at < kChangeMin || at > kChangeMax) return unreadable("has a change outside -2^59 to 2^59 seconds");
    if (!data.changes.empty() && at <= data.changes.back()) return unreadable("has changes out of order");
    data.changes.push_back(at);
  }
  for (char type : bytes.take(header.changes)) {
    if (static_cast<unsigned char>(type) >= header.types)
      return unreadable("names a type that it does not have");
    data.change_types.push_back(static_cast<std::uint8_t>(type));
  }
  return {};
}

Result<void> read_types(Bytes& bytes, const Header& header, ZoneData& data) {
  std::string_view records = bytes.take(header.types * 6);
  const std::string_view names = bytes.take(header.characters);
  for (; !records.empty(); records.remove_prefix(6)) {
    ZoneType type;
    const std::int64_t offset = read_int(records.substr(0, 4));
    if (offset <= -kOffsetMax || offset >= kOffsetMax) return unreadable("has an offset of 26 hours or more");
    type.offset_s = static_cast<std::int32_t>(offset);
    const auto daylight = static_cast<unsigned char>(records[4]);
    if (daylight > 1) return unreadable("has a daylight saving mark that is neither 0 nor 1");
    type.daylight = daylight == 1;
    const auto begin = static_cast<unsigned char>(records[5]);
    const std::size_t end = begin < names.size() ? names.find('\0', begin) : std::string_view::npos;
    if (end == std::string_view::npos) return unreadable("has an abbreviation without an end");
    type.abbreviation = names.substr(begin, end - begin);
    data.types.push_back(std::move(type));
  }
  return {};
}

/// A line feed, a POSIX rule or nothing, a line feed (RFC 9636 section 3.3).
Result<void> read_footer(std::string_view text, ZoneData& data) {
  if (text.size() < 2 || text.front() != '\n') return unreadable("has no footer");
  text.remove_prefix(1);
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return unreadable("has a footer without an end");
  const std::string_view rule = text.substr(0, end);
  if (rule.empty()) return {};
  data.rule = parse_posix_rule(rule);
  if (!data.rule) return unreadable("has a footer that is no POSIX time zone rule");
  return {};
}

Result<ZoneData> read_block(Bytes& bytes, const Header& header, std::size_t time_size) {
  if (auto counts = check_counts(header); !counts) return std::unexpected(std::move(counts.error()));
  if (!bytes.has(header.data_size(time_size))) return unreadable("ends within its data");
  ZoneData data;
  if (auto read = read_changes(bytes, header, time_size, data); !read)
    return std::unexpected(std::move(read.error()));
  if (auto read = read_types(bytes, header, data); !read) return std::unexpected(std::move(read.error()));
  bytes.take(header.standard_indicators + header.ut_indicators);
  return data;
}

}  // namespace

Result<ZoneData> parse_tzif(std::string_view text) {
  if (text.size() > kTzifSizeMax)
    return unreadable(fmt::format("is larger than {} KiB", kTzifSizeMax / 1024));
  Bytes bytes(text);
  auto header = take_header(bytes);
  if (!header) return std::unexpected(std::move(header.error()));
  if (header->version == '\0') return read_block(bytes, *header, 4);
  if (header->version < '2' || header->version > '4') return unreadable("is of a version that is not known");
  // Version 1's block comes first, for old readers; the real one follows, with 64 bits.
  if (!bytes.has(header->data_size(4))) return unreadable("ends within its data");
  bytes.take(header->data_size(4));
  header = take_header(bytes);
  if (!header) return std::unexpected(std::move(header.error()));
  auto data = read_block(bytes, *header, 8);
  if (!data) return data;
  if (auto read = read_footer(bytes.rest(), *data); !read) return std::unexpected(std::move(read.error()));
  return data;
}

}  // namespace bedplate::schedule
