// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/message/content.h"

#include "bedplate/base/text.h"
#include "bedplate/http/message/chars.h"
#include "bedplate/http/message/field.h"

namespace bedplate::http {
namespace {

// Cuts `rest` at the first `separator` outside quoted strings and returns what stood before it, trimmed.
std::string_view cut(std::string_view& rest, char separator) {
  bool quoted = false;
  std::size_t at = 0;
  for (; at < rest.size(); ++at) {
    const char c = rest[at];
    if (quoted) {
      if (c == '\\')
        ++at;
      else if (c == '"')
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == separator) {
      break;
    }
  }
  at = std::min(at, rest.size());
  const std::string_view piece = trim(rest.substr(0, at));
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return piece;
}

struct Parameter {
  std::string_view name;
  std::string_view value;
};

// One parameter of a ";" list: token "=" ( token / quoted-string ).
std::optional<Parameter> parse_parameter(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  Parameter parameter{text.substr(0, equals), text.substr(equals + 1)};
  if (!is_token(parameter.name)) return std::nullopt;
  std::string_view& value = parameter.value;
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
    return parameter;
  }
  if (!is_token(value)) return std::nullopt;
  return parameter;
}

// RFC 9110 section 12.4.2: 0, 1, or up to three decimals. -1: not one.
int parse_quality(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return -1;
  int quality = (text[0] - '0') * 1000;
  if (text.size() == 1) return quality;
  if (text[1] != '.') return -1;
  int scale = 100;
  for (char c : text.substr(2)) {
    if (!chars::is(c, chars::kDigit)) return -1;
    quality += (c - '0') * scale;
    scale /= 10;
  }
  return quality <= 1000 ? quality : -1;
}

// How exactly a media range names a type: 0 not at all, 1 "*/*", 2 "type/*", 3 "type/subtype".
int specificity(std::string_view range, std::string_view type, std::string_view subtype) {
  const std::size_t slash = range.find('/');
  if (slash == std::string_view::npos) return 0;
  const std::string_view range_type = range.substr(0, slash);
  const std::string_view range_subtype = range.substr(slash + 1);
  if (range_type == "*") return range_subtype == "*" ? 1 : 0;
  if (!equal_ignoring_case(range_type, type)) return 0;
  if (range_subtype == "*") return 2;
  return equal_ignoring_case(range_subtype, subtype) ? 3 : 0;
}

}  // namespace

bool MediaType::is(std::string_view wanted_type, std::string_view wanted_subtype) const {
  return equal_ignoring_case(type, wanted_type) && equal_ignoring_case(subtype, wanted_subtype);
}

bool MediaType::is_json() const {
  if (is("application", "json")) return true;
  return subtype.size() > 5 && equal_ignoring_case(subtype.substr(subtype.size() - 5), "+json");
}

std::optional<std::string_view> MediaType::parameter(std::string_view name) const {
  std::string_view rest = parameters;
  while (!rest.empty()) {
    const std::optional<Parameter> found = parse_parameter(cut(rest, ';'));
    if (found && equal_ignoring_case(found->name, name)) return found->value;
  }
  return std::nullopt;
}

std::optional<MediaType> parse_media_type(std::string_view text) {
  std::string_view rest = text;
  const std::string_view essence = cut(rest, ';');
  const std::size_t slash = essence.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const MediaType media{essence.substr(0, slash), essence.substr(slash + 1), rest};
  if (!is_token(media.type) || !is_token(media.subtype)) return std::nullopt;
  while (!rest.empty()) {
    const std::string_view piece = cut(rest, ';');
    if (!piece.empty() && !parse_parameter(piece)) return std::nullopt;
  }
  return media;
}

std::string_view next_list_member(std::string_view& rest) {
  while (!rest.empty()) {
    const std::string_view member = cut(rest, ',');
    if (!member.empty()) return member;
  }
  return {};
}

bool list_has_token(std::string_view list, std::string_view member) {
  if (list.size() == member.size()) return equal_ignoring_case(list, member);
  while (!list.empty())
    if (equal_ignoring_case(next_list_member(list), member)) return true;
  return false;
}

bool WeightedList::next() {
  for (;;) {
    std::string_view member = next_list_member(rest_);
    if (member.empty()) return false;
    value_ = cut(member, ';');
    const char* parameters = member.data();
    std::size_t parameters_size = member.size();
    quality_ = 1000;
    while (!member.empty()) {
      const char* at = member.data();
      const std::string_view piece = cut(member, ';');
      if (piece.size() < 2 || to_lower(piece[0]) != 'q' || piece[1] != '=') continue;
      quality_ = parse_quality(piece.substr(2));
      parameters_size = static_cast<std::size_t>(at - parameters);
      break;
    }
    parameters_ = {parameters, parameters_size};
    while (!parameters_.empty() && (parameters_.back() == ';' || parameters_.back() == ' '))
      parameters_.remove_suffix(1);
    if (quality_ >= 0 && !value_.empty()) return true;
  }
}

int accept_quality(std::string_view accept, std::string_view media_type) {
  if (trim(accept).empty()) return 1000;
  const std::size_t slash = std::min(media_type.find('/'), media_type.size());
  const std::string_view type = media_type.substr(0, slash);
  std::string_view subtype = media_type.substr(std::min(slash + 1, media_type.size()));
  subtype = trim(subtype.substr(0, subtype.find(';')));
  int best = 0;
  int quality = 0;
  WeightedList list(accept);
  while (list.next()) {
    // A range with parameters names a variant of the type that nothing here offers; it does not decide.
    const int exact = specificity(list.value(), type, subtype);
    if (exact == 0 || exact < best) continue;
    quality = exact > best ? list.quality() : std::max(quality, list.quality());
    best = exact;
  }
  return quality;
}

std::optional<std::size_t> best_accepted(std::string_view accept, std::span<const std::string_view> offered) {
  std::optional<std::size_t> best;
  int best_quality = 0;
  for (std::size_t i = 0; i < offered.size(); ++i) {
    const int quality = accept_quality(accept, offered[i]);
    if (quality <= best_quality) continue;
    best = i;
    best_quality = quality;
  }
  return best;
}

}  // namespace bedplate::http
