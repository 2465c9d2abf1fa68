// SPDX-License-Identifier: Apache-2.0
// Refresh tokens as texts: 256 random bits behind a prefix by which scanners recognise one that leaks.
#pragma once

#include <string>
#include <string_view>

namespace bedplate::identity {

/// "bpr_" and 43 characters of base64url.
std::string new_refresh_token();

/// What the database knows a token by: BLAKE2b-256 in base64url. 256 random bits need no slow hash.
std::string hash_of_refresh_token(std::string_view token);

}  // namespace bedplate::identity
