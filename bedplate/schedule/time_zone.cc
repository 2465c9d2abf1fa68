// SPDX-License-Identifier: Apache-2.0
#include "bedplate/schedule/time_zone.h"

#include <algorithm>
#include <array>
#include <utility>

#include "bedplate/schedule/tzif.h"

namespace bedplate::schedule {
namespace {

constexpr std::int64_t kDayS = 86'400;
constexpr std::int64_t kReach = std::int64_t{27} * 3600;  // more than any offset

constexpr std::int64_t floor_seconds(std::chrono::microseconds since) {
  return std::chrono::floor<std::chrono::seconds>(since).count();
}

constexpr std::int64_t kFirstS = floor_seconds(kFirstInstant.time_since_epoch());
constexpr std::int64_t kLastS = floor_seconds(kLastInstant.time_since_epoch());

Time to_time(std::int64_t seconds) {
  return Time(std::chrono::seconds(std::clamp(seconds, kFirstS, kLastS)));
}

std::chrono::microseconds clamped(std::chrono::microseconds since) {
  return std::clamp(since, kFirstInstant.time_since_epoch(), kLastInstant.time_since_epoch());
}

}  // namespace

TimeZone::TimeZone(std::string name, std::unique_ptr<const ZoneData> data)
    : name_(std::move(name)), data_(std::move(data)) {}

TimeZone::~TimeZone() = default;

Result<std::shared_ptr<const TimeZone>> TimeZone::from_tzif(std::string name, std::string_view bytes) {
  auto data = parse_tzif(bytes);
  if (!data) return std::unexpected(std::move(data.error()));
  return std::shared_ptr<const TimeZone>(
      new TimeZone(std::move(name), std::make_unique<const ZoneData>(std::move(*data))));
}

std::shared_ptr<const TimeZone> TimeZone::utc() {
  ZoneData data;
  data.types.push_back({0, false, "UTC"});
  return std::shared_ptr<const TimeZone>(
      new TimeZone("UTC", std::make_unique<const ZoneData>(std::move(data))));
}

TimeZone::Span TimeZone::span_at(std::int64_t instant_s) const {
  const auto& changes = data_->changes;
  const auto next = std::upper_bound(changes.begin(), changes.end(), instant_s);
  const std::int64_t begin = next == changes.begin() ? -kEver : *(next - 1);
  if (next == changes.end() && data_->rule) return by_rule(instant_s, begin);
  const std::size_t index = static_cast<std::size_t>(next - changes.begin());
  const ZoneType& type = data_->types[index == 0 ? 0 : data_->change_types[index - 1]];
  return {begin, next == changes.end() ? kEver : *next, type.offset_s, type.daylight, type.abbreviation};
}

/// After the last change of the file, which was at begin_s.
TimeZone::Span TimeZone::by_rule(std::int64_t instant_s, std::int64_t begin_s) const {
  const PosixRule& rule = *data_->rule;
  const PosixHalf& standard = rule.standard;
  if (!rule.daylight) return {begin_s, kEver, standard.offset_s, false, standard.abbreviation};
  const PosixHalf& daylight = *rule.daylight;
  struct Change {
    std::int64_t at_s;
    bool to_daylight;
  };
  // A change may be a week beside its year. Where one year's end of daylight saving time is the next one's start, it
  // goes on: what comes later in this list prevails.
  constexpr std::int64_t kYears = 2;
  std::array<Change, 2 * (2 * kYears + 1)> changes{};
  std::size_t count = 0;
  const std::int64_t days = instant_s / kDayS - (instant_s % kDayS < 0 ? 1 : 0);
  const std::int64_t year = year_of_day(days);
  for (std::int64_t y = year - kYears; y <= year + kYears; ++y) {
    const Change start{rule.start.local_s(y) - standard.offset_s, true};
    const Change end{rule.end.local_s(y) - daylight.offset_s, false};
    changes[count++] = start.at_s <= end.at_s ? start : end;
    changes[count++] = start.at_s <= end.at_s ? end : start;
  }
  // Few and nearly in order.
  for (std::size_t i = 1; i < count; ++i)
    for (std::size_t j = i; j > 0 && changes[j].at_s < changes[j - 1].at_s; --j)
      std::swap(changes[j], changes[j - 1]);
  const auto next = std::ranges::upper_bound(changes, instant_s, {}, &Change::at_s);
  const Change& now = *(next - 1);
  const PosixHalf& half = now.to_daylight ? daylight : standard;
  return {std::max(begin_s, now.at_s), next->at_s, half.offset_s, now.to_daylight, half.abbreviation};
}

LocalMoment TimeZone::to_local(Time instant) const {
  const std::chrono::microseconds since = clamped(instant.time_since_epoch());
  const Span span = span_at(floor_seconds(since));
  return {LocalTime(since + std::chrono::seconds(span.offset_s)), std::chrono::seconds(span.offset_s),
          span.daylight, span.abbreviation};
}

Instants TimeZone::to_instants(LocalTime local) const {
  const std::chrono::microseconds since = clamped(local.time_since_epoch());
  const std::int64_t wall_s = floor_seconds(since);
  const std::chrono::microseconds fraction = since - std::chrono::seconds(wall_s);
  Instants found;
  int times = 0;
  std::optional<std::int64_t> after_gap;
  for (Span span = span_at(wall_s - kReach);; span = span_at(span.end_s)) {
    const std::int64_t instant_s = wall_s - span.offset_s;
    if (instant_s >= span.begin_s && instant_s < span.end_s) {
      found.last = to_time(instant_s) + fraction;
      if (times++ == 0) found.first = found.last;
    } else if (instant_s < span.begin_s && times == 0 && !after_gap) {
      after_gap = span.begin_s;
    }
    if (span.end_s > wall_s + kReach) break;
  }
  if (times == 0) {
    found.kind = Instants::Kind::gap;
    found.first = found.last = to_time(after_gap.value_or(wall_s));
  } else if (times > 1) {
    found.kind = Instants::Kind::overlap;
  }
  return found;
}

std::optional<Time> TimeZone::next_change(Time after) const {
  const Span span = span_at(floor_seconds(clamped(after.time_since_epoch())));
  if (span.end_s > kLastS) return std::nullopt;
  return to_time(span.end_s);
}

}  // namespace bedplate::schedule
