// SPDX-License-Identifier: Apache-2.0
// When two e-mail addresses are the same account.
//
// - An address is ASCII, at most 254 characters (RFC 5321 section 4.5.3.1.3), in the form the `email` format
//   checks. A domain outside ASCII is written in its "xn--" form; local parts outside ASCII (RFC 6531) are
//   refused.
// - It is kept and shown as it was typed, and compared without case: no mail server in use tells apart local
//   parts by case, and people do not type it the same twice.
// - Nothing else is folded: dots, "+tags" and the like are the provider's business, and two providers differ.
// - Surrounding space is a fault that the client is told about, never trimmed in silence.
#pragma once

#include <string>
#include <string_view>

namespace bedplate::identity {

/// What an address is compared by, stored in a unique column.
std::string email_key(std::string_view email);

}  // namespace bedplate::identity
