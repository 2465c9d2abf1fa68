// SPDX-License-Identifier: Apache-2.0
// Passwords as texts: what people type twice and believe to be the same is the same.
//
//   std::optional<std::string> text = normalize_password(typed);
//
// The OpaqueString profile (RFC 8265 section 4.2), which NIST SP 800-63B-4 section 3.1.1.2 points to: every space is
// U+0020, then normalization form C. A keyboard that writes "ä" as two code points and one that writes it as one make
// the same password; case, width and every other difference count. Deviation: code points that Unicode has not assigned
// yet, and those that are ignorable by default, are taken (RFC 8264 refuses them), because people use the emoji of next
// year, and emoji are joined by U+200D.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bedplate::auth {

/// NIST SP 800-63B-4 section 3.1.1.2: a length and a list of known ones, no rules about kinds of characters; at
/// least 15 where the password is all that is asked for, 8 where it never is. Counted in code points of what
/// normalize_password() gives.
inline constexpr std::int64_t kPasswordLengthMin = 8;
inline constexpr std::int64_t kPasswordLengthMinAlone = 15;
inline constexpr std::int64_t kPasswordLengthMax = 128;
/// Code points as they are typed, of the longest: what is one code point in the end may come as four.
inline constexpr std::int64_t kPasswordTypedMax = 512;

/// Nothing: this can be nobody's password. It is empty, not UTF-8, or holds a control character.
std::optional<std::string> normalize_password(std::string_view password);

/// The rule of a description for a new password: null, or what is wrong with it.
const char* check_password(const std::string& password);

}  // namespace bedplate::auth
