// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "bedplate/base/text.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/scalar.h"
#include "bedplate/describe/text/pattern_cache.h"
#include "bedplate/describe/text/text_format.h"

namespace bedplate::detail {

namespace {

std::string amount(std::int64_t count, std::string_view unit) {
  return fmt::format("{} {}{}", count, unit, count == 1 ? "" : "s");
}

void check_length(const Rules& rules, std::size_t size, std::string_view unit, RuleReport& report) {
  const auto count = static_cast<std::int64_t>(size);
  if (count < rules.min) report.fault("too_short", "must have at least " + amount(rules.min, unit));
  if (count > rules.max) report.fault("too_long", "must have at most " + amount(rules.max, unit));
}

}  // namespace

void check_characters(std::string_view text, RuleReport& report) {
  if (text.find('\0') != std::string_view::npos) [[unlikely]]
    report.fault("invalid_character", "must not hold the character U+0000");
}

void check_string(const Rules& rules, const std::string& text, RuleReport& report) {
  if (rules.flags & kHasLength) {
    // Code points are at most as many as bytes and at least a quarter: most texts need no counting.
    const auto bytes = static_cast<std::int64_t>(text.size());
    if (bytes > rules.max || bytes / 4 < rules.min)
      check_length(rules, count_code_points(text), "character", report);
  }
  if ((rules.flags & kNotBlank) && is_blank(text)) {
    const bool too_short = text.empty() && (rules.flags & kHasLength) && rules.min > 0;
    if (!too_short) report.fault("blank", "must have a character that is not white space");
  }
  if ((rules.flags & kHasPattern) && !matches_pattern(rules.pattern, text))
    report.fault("pattern", fmt::format("must match {}", rules.pattern));
  if ((rules.flags & kHasFormat) && !matches_text_format(rules.format, text))
    report.fault("format", fmt::format("must be {}", text_format_phrase(rules.format)));
}

void check_count(const Rules& rules, std::size_t count, RuleReport& report, std::string_view unit) {
  if (rules.flags & kHasLength) check_length(rules, count, unit, report);
}

void read_scalar(const TypeInfo& type, const Rules& rules, std::string_view text, void* value,
                 RuleReport& report) {
  if (const char* const wrong = type.scalar->read(text, value); wrong != nullptr)
    return report.fault("format", wrong);
  check_scalar(type, rules, value, report);
}

void check_scalar(const TypeInfo& type, const Rules& rules, const void* value, RuleReport& report) {
  if (type.scalar->sql == SqlForm::blob)
    check_count(rules, static_cast<const Bytes*>(value)->size(), report, "byte");
}

std::string scalar_type_sentence(const TypeInfo& type) {
  return fmt::format("must be a string that holds a {}", type.scalar->word);
}

namespace {

/// The integers from `low` to `high`, where either may be on either side of zero.
struct IntegerRange {
  std::int64_t low;
  bool high_is_negative;
  std::uint64_t high;  ///< its magnitude

  std::string high_text() const { return (high_is_negative ? "-" : "") + std::to_string(high); }
};

std::uint64_t magnitude_of(std::int64_t value) {
  return value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

IntegerRange range_of(const Rules& rules, const TypeInfo& type) {
  if (rules.flags & kHasRange) return {rules.min, rules.max < 0, magnitude_of(rules.max)};
  const unsigned unused_bits = 64u - type.width * 8u + (type.is_signed ? 1 : 0);
  const std::uint64_t high = std::numeric_limits<std::uint64_t>::max() >> unused_bits;
  return {type.is_signed ? -static_cast<std::int64_t>(high) - 1 : 0, false, high};
}

}  // namespace

bool check_integer(const Rules& rules, const TypeInfo& type, bool negative, std::uint64_t magnitude,
                   RuleReport& report) {
  const IntegerRange range = range_of(rules, type);
  const bool below = range.low < 0 ? negative && magnitude > magnitude_of(range.low)
                                   : negative || magnitude < magnitude_of(range.low);
  const bool above =
      range.high_is_negative ? !negative || magnitude < range.high : !negative && magnitude > range.high;
  if (below || above) report_out_of_range(rules, type, below, report);
  return !below && !above;
}

void report_out_of_range(const Rules& rules, const TypeInfo& type, bool below, RuleReport& report) {
  const IntegerRange range = range_of(rules, type);
  report.fault(below ? "too_small" : "too_large",
               fmt::format("must be a whole number from {} to {}", range.low, range.high_text()));
}

void check_real(const Rules& rules, double value, RuleReport& report) {
  if (!(rules.flags & kHasLimits) || (value >= rules.low && value <= rules.high)) return;
  report.fault(value < rules.low ? "too_small" : "too_large",
               fmt::format("must be a number from {} to {}", rules.low, rules.high));
}

namespace {

/// A total order over values of a scalar type; only for telling equal ones.
int compare_scalars(const TypeInfo& type, const void* a, const void* b) {
  if (type.kind != Kind::string) return std::memcmp(a, b, type.size);
  return static_cast<const std::string*>(a)->compare(*static_cast<const std::string*>(b));
}

}  // namespace

void check_unique(const TypeInfo& element, ListView list, std::span<const std::size_t> unread,
                  RuleReport& report) {
  const char* const first = static_cast<const char*>(list.data);
  const auto at = [&](std::size_t i) { return first + i * element.size; };
  std::vector<std::size_t> order;
  order.reserve(list.size);
  for (std::size_t i = 0; i < list.size; ++i) {
    if (!unread.empty() && unread.front() == i)
      unread = unread.subspan(1);
    else
      order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const int compared = compare_scalars(element, at(a), at(b));
    return compared != 0 ? compared < 0 : a < b;
  });
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (compare_scalars(element, at(order[i - 1]), at(order[i])) != 0) continue;
    report.fault("not_unique",
                 fmt::format("must not have the same item twice (items {} and {})", order[i - 1], order[i]));
    return;
  }
}

std::string one_of_sentence(const EnumInfo& info) {
  std::string sentence = "must be one of ";
  bool first = true;
  for (const EnumValue& value : info.values) {
    if (&value == info.fallback) continue;
    if (!first) sentence += ", ";
    first = false;
    sentence += value.name;
  }
  return sentence;
}

std::string one_of_sentence(std::span<const std::string_view> names) {
  return fmt::format("must be one of {}", fmt::join(names, ", "));
}

std::string time_sentence(std::string_view text) {
  if (is_rfc3339(text)) return "must be in the years 1 to 9999 once it is converted to UTC";
  return "must be an RFC 3339 date and time, such as 2026-11-21T10:00:00Z";
}

void check_custom(const Rules& rules, const void* value, RuleReport& report) {
  if (!(rules.flags & kHasCheck) || rules.check == nullptr) return;
  if (const char* wrong = rules.check(value); wrong != nullptr) report.fault("custom", wrong);
}

}  // namespace bedplate::detail
