// SPDX-License-Identifier: Apache-2.0
#include "bedplate/schedule/cron_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "bedplate/base/text.h"

namespace bedplate::schedule {
namespace {

constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                        "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view kWeekdays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct FieldKind {
  std::string_view name;
  unsigned min;
  unsigned max;
  std::span<const std::string_view> names;
};
constexpr FieldKind kKinds[] = {{"minute", 0, 59, {}},
                                {"hour", 0, 23, {}},
                                {"day of month", 1, 31, {}},
                                {"month", 1, 12, kMonths},
                                {"day of week", 0, 7, kWeekdays}};
constexpr std::size_t kFields = std::size(kKinds);

constexpr std::pair<std::string_view, std::string_view> kNicknames[] = {
    {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"}, {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@hourly", "0 * * * *"}};

struct Field {
  std::uint64_t bits = 0;
  bool has_star = false;
  bool begins_with_star = false;
};

/// Text from outside, as a message may show it.
std::string shown(std::string_view text) {
  std::string out(kCronSizeMax * 6, '\0');
  const BoundedWrite written = write_visible_escaped(out.data(), out.data() + out.size(), text);
  out.resize(static_cast<std::size_t>(written.end - out.data()));
  return out;
}

std::unexpected<Error> invalid(std::string_view text, std::string_view why) {
  return fail(Category::invalid, "cron_invalid",
              fmt::format("Cron `{}`: {}.", shown(text.substr(0, kCronSizeMax)), why));
}

std::string_view take_until(std::string_view& text, char end, bool& more) {
  const std::size_t size = text.find(end);
  more = size != std::string_view::npos;
  const std::string_view taken = text.substr(0, size);
  text.remove_prefix(more ? size + 1 : text.size());
  return taken;
}

/// A number or a name; nothing when it is neither or out of range.
std::optional<unsigned> parse_value(std::string_view text, const FieldKind& kind) {
  for (std::size_t i = 0; i < kind.names.size(); ++i)
    if (equal_ignoring_case(text, kind.names[i])) return kind.min + static_cast<unsigned>(i);
  const bool digits = !text.empty() && text.size() <= 2 &&
                      std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return std::nullopt;
  const auto number = static_cast<unsigned>(*parse_uint(text));
  if (number < kind.min || number > kind.max) return std::nullopt;
  return number;
}

/// One member of a list: `*`, a value or a range, with a step or without. What is wrong, or nothing.
std::string add_member(std::string_view text, const FieldKind& kind, Field& field) {
  const std::string whole = shown(text);
  bool stepped = false;
  std::string_view range = take_until(text, '/', stepped);
  std::uint64_t step = 1;
  if (stepped) {
    const auto number = text.size() <= 2 ? parse_uint(text) : std::nullopt;
    if (!number || *number == 0)
      return fmt::format("`{}` has a step that is not a number from 1 to 99", whole);
    step = *number;
  }
  unsigned first = kind.min;
  unsigned last = kind.names.size() == 7 ? 6 : kind.max;
  if (range == "*") {
    field.has_star = true;
  } else {
    bool ranged = false;
    const auto from = parse_value(take_until(range, '-', ranged), kind);
    auto to = ranged ? parse_value(range, kind) : from;
    if (!from || !to)
      return fmt::format("`{}` is not {}{} to {}{}", whole, stepped || ranged ? "within " : "", kind.min,
                         kind.max,
                         kind.names.empty() ? "" : ", nor a name like " + std::string(kind.names[1]));
    if (stepped && !ranged)
      return fmt::format("`{}` has a step, which needs `*` or a range: {}-{}/{}", whole, *from, kind.max,
                         step);
    if (*to == 0 && kind.names.size() == 7 && *from > 0) to = 7;  // fri-sun
    if (*from > *to)
      return fmt::format("`{}` runs backwards; a list can say it: {}-{},{}-{}", whole, *from, kind.max,
                         kind.min, *to);
    first = *from;
    last = *to;
  }
  for (std::uint64_t value = first; value <= last; value += step) field.bits |= std::uint64_t{1} << value;
  return {};
}

std::string parse_field(std::string_view text, const FieldKind& kind, Field& field) {
  field.begins_with_star = text.starts_with('*');
  for (bool more = true; more;) {
    const std::string_view member = take_until(text, ',', more);
    if (std::string wrong = add_member(member, kind, field); !wrong.empty()) return wrong;
  }
  if (kind.names.size() == 7 && (field.bits >> 7 & 1) != 0) field.bits |= 1;  // 7 is Sunday too
  return {};
}

std::size_t split(std::string_view text, std::array<std::string_view, kFields>& fields) {
  std::size_t count = 0;
  while (true) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return count;
    text.remove_prefix(begin);
    const std::size_t size = std::min(text.find_first_of(" \t"), text.size());
    if (count < kFields) fields[count] = text.substr(0, size);
    ++count;
    text.remove_prefix(size);
  }
}

/// Whether some year has a day that matches.
bool can_match(const CronFields& fields) {
  if (!fields.any_weekday && !fields.any_day)
    return fields.months != 0;  // its weekday comes, whatever its days
  constexpr unsigned kLongest[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (unsigned month = 1; month <= 12; ++month)
    if ((fields.months >> month & 1) != 0 &&
        (fields.days & ((std::uint64_t{2} << kLongest[month - 1]) - 1)) != 0)
      return true;
  return false;
}

}  // namespace

Result<CronFields> parse_cron(std::string_view text) {
  if (text.size() > kCronSizeMax)
    return invalid(text, fmt::format("it is longer than {} bytes", kCronSizeMax));
  const std::string_view given = text;
  text = trim(text);
  if (text.starts_with('@')) {
    const auto* const known =
        std::ranges::find_if(kNicknames, [&](const auto& n) { return equal_ignoring_case(n.first, text); });
    if (known == std::end(kNicknames))
      return invalid(given, "there are @yearly, @monthly, @weekly, @daily and @hourly");
    text = known->second;
  }
  std::array<std::string_view, kFields> texts;
  if (const std::size_t count = split(text, texts); count != kFields)
    return invalid(
        given,
        fmt::format("it has {} field{} instead of five: minute, hour, day of month, month, day of week",
                    count, count == 1 ? "" : "s"));
  std::array<Field, kFields> fields;
  for (std::size_t i = 0; i < kFields; ++i)
    if (const std::string wrong = parse_field(texts[i], kKinds[i], fields[i]); !wrong.empty())
      return invalid(given, fmt::format("{} {}", kKinds[i].name, wrong));
  CronFields parsed;
  parsed.minutes = fields[0].bits;
  parsed.hours = static_cast<std::uint32_t>(fields[1].bits);
  parsed.days = static_cast<std::uint32_t>(fields[2].bits);
  parsed.months = static_cast<std::uint32_t>(fields[3].bits);
  parsed.weekdays = static_cast<std::uint32_t>(fields[4].bits & 0x7F);
  parsed.follows_real_time = fields[0].has_star || fields[1].has_star;
  parsed.any_day = fields[2].begins_with_star;
  parsed.any_weekday = fields[4].begins_with_star;
  if (!can_match(parsed))
    return invalid(given, "no month that it names has such a day, so it would never run");
  return parsed;
}

}  // namespace bedplate::schedule
