// SPDX-License-Identifier: Apache-2.0
// The door between a surface and whatever knows credentials.
#pragma once

#include <string_view>

#include "bedplate/auth/principal.h"
#include "bedplate/base/result.h"
#include "bedplate/base/time.h"

namespace bedplate::auth {

class Authenticator {
 public:
  virtual ~Authenticator() = default;

  /// Says who bears this token (what follows "Bearer " in Authorization, RFC 6750 section 2.1), or fails with
  /// Category::unauthenticated: `expired_token`, `token_revoked` or `token_not_yet_valid` for a genuine
  /// one, `invalid_token` for everything else. The answer never says what was wrong with a forged one.
  ///
  /// Never waits; from any thread. A token seen before on this thread costs a look-up; a new one costs a
  /// signature check (50 µs), so callers charge failures to the address they came from.
  virtual Result<PrincipalRef> authenticate(std::string_view bearer, Time now) = 0;
};

}  // namespace bedplate::auth
