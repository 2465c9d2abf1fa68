// SPDX-License-Identifier: Apache-2.0
// Media types and what a client accepts (RFC 9110 sections 8.3 and 12).
//
//   auto type = parse_media_type(request.field(FieldId::content_type));
//   if (!type || !type->is("application", "json")) ...                       // 415
//   if (accept_quality(request.field_list(FieldId::accept), "application/json") == 0) ...  // 406
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace bedplate::http {

/// "application/merge-patch+json; charset=utf-8". Views of the text it was read from.
struct MediaType {
  std::string_view type;
  std::string_view subtype;
  std::string_view parameters;  ///< after the first ";", not read

  /// In any case.
  bool is(std::string_view wanted_type, std::string_view wanted_subtype) const;
  /// application/json or anything with the +json suffix.
  bool is_json() const;
  /// The value of a parameter, without quotes (escapes inside quotes are kept); nothing when it is absent.
  std::optional<std::string_view> parameter(std::string_view name) const;
};

/// Nothing when it is not a media type, its parameters included.
std::optional<MediaType> parse_media_type(std::string_view text);

/// How welcome a media type ("application/json") is, in thousandths: 0 to 1000. The most specific range
/// decides; an empty list accepts everything; ranges that cannot be read are skipped.
int accept_quality(std::string_view accept, std::string_view media_type);

/// The offered type with the best quality, the first of equals; nothing when none is welcome.
std::optional<std::size_t> best_accepted(std::string_view accept, std::span<const std::string_view> offered);

/// A list such as "gzip;q=0.5, *;q=0": goes through its members.
class WeightedList {
 public:
  explicit WeightedList(std::string_view list) : rest_(list) {}
  /// False at the end. Members that cannot be read are skipped.
  bool next();
  /// What stands before the parameters.
  std::string_view value() const { return value_; }
  /// The parameters before q.
  std::string_view parameters() const { return parameters_; }
  /// Thousandths; 1000 when there is no q.
  int quality() const { return quality_; }

 private:
  std::string_view rest_;
  std::string_view value_;
  std::string_view parameters_;
  int quality_ = 1000;
};

/// The next member of a comma-separated list (RFC 9110 section 5.6.1), trimmed, empty ones skipped; commas
/// inside quoted strings do not separate. Empty: the end.
std::string_view next_list_member(std::string_view& rest);

/// Is `member` one of the comma-separated tokens, in any case?
bool list_has_token(std::string_view list, std::string_view member);

}  // namespace bedplate::http
