// SPDX-License-Identifier: Apache-2.0
// Entity tags and the conditions that compare them (RFC 9110 sections 8.8.3 and 13.1).
//
// Bedplate's strong ETags are the version of the thing, with a suffix for each content coding, because a
// strong tag names bytes: "7" as it is, "7-gzip" compressed. Conditions compare the version alone, so a
// client that read compressed can still write.
//
//   response.set_field(FieldId::etag, make_etag(task.version));               // "7" in quotes
//   if (if_none_match(request.field_list(FieldId::if_none_match), etag)) ...  // 304
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bedplate::http {

/// "7" with its quotes.
std::string make_etag(std::uint64_t version);

/// One tag of a list: what is between the quotes, without the suffix of a content coding.
struct EntityTag {
  std::string_view value;
  bool weak = false;
};

/// A single tag, whole text. Nothing when it is not one.
std::optional<EntityTag> parse_etag(std::string_view text);
/// The version in a tag that make_etag() made (any coding suffix, weak or not).
std::optional<std::uint64_t> etag_version(std::string_view tag);

/// What a list of tags holds, as in If-Match and If-None-Match.
struct TagList {
  bool any = false;  ///< "*"
  bool valid = true;
  bool matches = false;  ///< one of them is the tag that was asked for
};

/// True: the condition of If-None-Match is false, the client has this already (weak comparison): 304 for GET
/// and HEAD, 412 for others. An empty or unreadable list matches nothing.
bool if_none_match(std::string_view list, std::string_view etag);

/// Reads If-Match against the current tag, by strong comparison without the coding suffix.
TagList if_match(std::string_view list, std::string_view etag);

/// The version that If-Match asks for, when it names exactly one; nothing for "*", lists and foreign tags.
std::optional<std::uint64_t> if_match_version(std::string_view list);

}  // namespace bedplate::http
