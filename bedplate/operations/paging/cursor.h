// SPDX-License-Identifier: Apache-2.0
// Cursors: where a page ended, as one opaque word.
//
//   CursorValues values{due_at, title, id};
//   std::string word = encode_cursor(scope, values);
//   std::optional<CursorValues> after = decode_cursor(scope, word);
//
// Form: base64url, without padding, of
//
//   version (1 byte, 1) | values | hash (8 bytes)
//   value: kind (1 byte) | integer, real (IEEE 754), time (microseconds since 1970): 8 bytes, big-endian
//                        | text: size (4 bytes, big-endian), bytes | uuid: 16 bytes
//
// The hash (SipHash-2-4) is over the values and the scope: the sort and the filters that the page was made under. So a
// cursor of another list, another sort, or with any byte changed is refused. The key is no secret: a cursor is no
// permission, and one that somebody computes says nothing but "rows after this one", which the query's own conditions
// still bound.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bedplate/base/id.h"
#include "bedplate/base/time.h"

namespace bedplate::api {

using CursorValue = std::variant<std::int64_t, double, std::string, Uuid, Time>;
using CursorValues = std::vector<CursorValue>;

inline constexpr std::size_t kCursorValuesMax = 9;  ///< four texts with their folded keys, and an id
inline constexpr std::size_t kCursorSizeMax = 2000;

/// A word above kCursorSizeMax will not be read again: sort by short texts, or by their beginning.
std::string encode_cursor(std::string_view scope, std::span<const CursorValue> values);
/// Nothing for what encode_cursor() did not make under this scope.
std::optional<CursorValues> decode_cursor(std::string_view scope, std::string_view word);
/// Whether `word` has the form of a cursor, of whatever list: for a request whose sort or filters cannot be read.
bool looks_like_cursor(std::string_view word);

}  // namespace bedplate::api
