// SPDX-License-Identifier: Apache-2.0
// E-mail addresses: what is kept of one that was typed, and when two are the same account.
//
// - Space around it is taken away: keyboards of phones add it.
// - An address is ASCII, at most 254 characters (RFC 5321 section 4.5.3.1.3), in the form the `email` format checks. A
//   domain outside ASCII becomes A-labels ("xn--...", RFC 5891), as mail servers want it; local parts outside ASCII
//   (RFC 6531) are refused, and so are IP addresses in place of a domain.
// - Its letters are kept and shown as they were typed, and compared without case: no mail server in use tells apart
//   local parts by case, and people do not type it the same twice.
// - Nothing else is folded: dots, "+tags" and the like are the provider's business, and two providers differ.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bedplate::identity {

/// The longest address as it may be typed, in code points: space around it, and domains that get longer or shorter.
inline constexpr std::int64_t kEmailTypedMax = 320;

/// The address to keep, or nothing when it is none.
std::optional<std::string> canonical_email(std::string_view typed);

/// The rule of a description: null, or what is wrong with the address.
const char* check_email(const std::string& typed);

/// What an address is compared by, stored in a unique column. Of what is no address: something that no account has.
std::string email_key(std::string_view email);

}  // namespace bedplate::identity
