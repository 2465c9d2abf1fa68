// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/message/etag.h"

#include <array>

#include "bedplate/base/text.h"
#include "bedplate/http/message/content.h"

namespace bedplate::http {
namespace {

// What compression appends inside the quotes.
constexpr std::array<std::string_view, 3> kCodingSuffixes = {"-gzip", "-br", "-zstd"};

std::string_view without_coding_suffix(std::string_view value) {
  for (std::string_view suffix : kCodingSuffixes)
    if (value.ends_with(suffix)) return value.substr(0, value.size() - suffix.size());
  return value;
}

// RFC 9110 section 8.8.3: etagc.
bool is_tag_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x21 || (byte >= 0x23 && byte != 0x7f);
}

// Takes one tag off the front of a list. Quotes cannot be escaped in a tag, so commas may stand in it.
std::optional<EntityTag> take_tag(std::string_view& rest) {
  EntityTag tag;
  if (rest.starts_with("W/")) {
    tag.weak = true;
    rest.remove_prefix(2);
  }
  if (!rest.starts_with('"')) return std::nullopt;
  const std::size_t close = rest.find('"', 1);
  if (close == std::string_view::npos) return std::nullopt;
  const std::string_view value = rest.substr(1, close - 1);
  for (char c : value)
    if (!is_tag_char(c)) return std::nullopt;
  tag.value = without_coding_suffix(value);
  rest.remove_prefix(close + 1);
  return tag;
}

void skip_blanks(std::string_view& rest) {
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
}

// Goes through a list; `use(tag)` for each. False: the list cannot be read.
template <class Use>
bool for_each_tag(std::string_view rest, Use use) {
  for (;;) {
    skip_blanks(rest);
    while (rest.starts_with(',')) {
      rest.remove_prefix(1);
      skip_blanks(rest);
    }
    if (rest.empty()) return true;
    const std::optional<EntityTag> tag = take_tag(rest);
    if (!tag) return false;
    use(*tag);
    skip_blanks(rest);
    if (!rest.empty() && rest.front() != ',') return false;
  }
}

std::optional<std::uint64_t> version_of(const EntityTag& tag) {
  return parse_uint(tag.value);
}

}  // namespace

std::string make_etag(std::uint64_t version) {
  char text[kIntSizeMax + 2];
  text[0] = '"';
  char* end = write_uint(text + 1, version);
  *end++ = '"';
  return std::string(text, end);
}

std::optional<EntityTag> parse_etag(std::string_view text) {
  std::optional<EntityTag> tag = take_tag(text);
  return text.empty() ? tag : std::nullopt;
}

std::optional<std::uint64_t> etag_version(std::string_view tag) {
  const std::optional<EntityTag> parsed = parse_etag(tag);
  return parsed ? version_of(*parsed) : std::nullopt;
}

bool if_none_match(std::string_view list, std::string_view etag) {
  if (trim(list) == "*") return true;
  const std::optional<EntityTag> current = parse_etag(etag);
  if (!current) return false;
  bool matches = false;
  const bool readable =
      for_each_tag(list, [&](const EntityTag& tag) { matches |= tag.value == current->value; });
  return readable && matches;
}

TagList if_match(std::string_view list, std::string_view etag) {
  TagList result;
  const std::optional<EntityTag> current = parse_etag(etag);
  if (trim(list) == "*") {
    result.any = true;
    result.matches = current.has_value();
    return result;
  }
  bool empty = true;
  result.valid = for_each_tag(list, [&](const EntityTag& tag) {
    empty = false;
    result.matches |= current && !tag.weak && !current->weak && tag.value == current->value;
  });
  result.valid = result.valid && !empty;
  return result;
}

std::optional<std::uint64_t> if_match_version(std::string_view list) {
  unsigned count = 0;
  std::optional<std::uint64_t> version;
  const bool readable = for_each_tag(list, [&](const EntityTag& tag) {
    ++count;
    if (!tag.weak) version = version_of(tag);
  });
  return readable && count == 1 ? version : std::nullopt;
}

}  // namespace bedplate::http
