// SPDX-License-Identifier: Apache-2.0
// The rules of a description, applied to one value: shared by every reader and by validate(). Not for
// callers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "bedplate/describe/table.h"

namespace bedplate::detail {

/// Who is told about a broken rule; knows where the value stands.
class RuleReport {
 public:
  virtual void fault(std::string_view code, std::string message) = 0;

 protected:
  ~RuleReport() = default;
};

/// No U+0000, which is no part of any rule: there are databases that cannot keep it. For input, keys of maps
/// included.
void check_characters(std::string_view text, RuleReport& report);
/// Length, pattern, format, not blank. Every one that is broken is reported. `text` is valid UTF-8.
void check_string(const Rules& rules, const std::string& text, RuleReport& report);
/// Items of a list, entries of a map, or `unit`s.
void check_count(const Rules& rules, std::size_t count, RuleReport& report, std::string_view unit = "item");
/// Reads a value of Kind::scalar, or says what the text must be; applies the rules.
void read_scalar(const TypeInfo& type, const Rules& rules, std::string_view text, void* value,
                 RuleReport& report);
/// The rules of such a value.
void check_scalar(const TypeInfo& type, const Rules& rules, const void* value, RuleReport& report);
/// What another JSON value than a string is told: "must be a string with a date".
std::string scalar_type_sentence(const TypeInfo& type);
/// The range of an integer field: its rule, or what its width holds. `negative` and `magnitude` are its sign
/// and absolute value. True when it is inside.
bool check_integer(const Rules& rules, const TypeInfo& type, bool negative, std::uint64_t magnitude,
                   RuleReport& report);
/// Reports an integer below or above the range of its field, when it does not even fit 64 bits.
void report_out_of_range(const Rules& rules, const TypeInfo& type, bool below, RuleReport& report);
/// The limits of a finite real.
void check_real(const Rules& rules, double value, RuleReport& report);
/// No item twice, those at `unread` (ascending) apart: they have faults of their own, and nobody knows what they
/// were meant to be. n log n.
void check_unique(const TypeInfo& element, ListView list, std::span<const std::size_t> unread,
                  RuleReport& report);
/// The author's own check, when there is one. For values that are well otherwise.
void check_custom(const Rules& rules, const void* value, RuleReport& report);

/// "must be one of todo, in_progress, done"
std::string one_of_sentence(const EnumInfo& info);
std::string one_of_sentence(std::span<const std::string_view> names);

/// What to say of a text that parse_rfc3339() does not take.
std::string time_sentence(std::string_view text);

}  // namespace bedplate::detail
