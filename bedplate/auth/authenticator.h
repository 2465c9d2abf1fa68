// SPDX-License-Identifier: Apache-2.0
// Authenticator: verifies a request's credentials and says whose they are.
#pragma once

#include <string_view>

#include "bedplate/auth/principal.h"
#include "bedplate/base/result.h"
#include "bedplate/base/time.h"

namespace bedplate::auth {

/// What a request shows of its caller. Views live as long as the call; what is not there is empty.
struct Credentials {
  std::string_view bearer;                 ///< what follows "Bearer " in Authorization (RFC 6750 section 2.1)
  std::string_view api_key = {};           ///< of X-API-Key
  std::string_view cookie = {};            ///< the Cookie field
  std::string_view peer_certificate = {};  ///< of mutual TLS: the verified leaf, DER
  std::string_view method = {};  ///< "POST"; with `url` for proofs of possession (RFC 9449 section 4.2)
  std::string_view url = {};     ///< the request's target
};

class Authenticator {
 public:
  virtual ~Authenticator() = default;

  /// Says whose credentials these are, or fails with Category::unauthenticated: `expired_token`, `token_revoked` or
  /// `token_not_yet_valid` for a genuine token, `invalid_token` for everything else. The answer never says what was
  /// wrong with a forged one.
  ///
  /// Never waits; from any thread. A token seen before on this thread costs a look-up; a new one costs a
  /// signature check (50 µs), so callers charge failures to the address they came from.
  virtual Result<PrincipalRef> authenticate(const Credentials& credentials, Time now) = 0;
};

}  // namespace bedplate::auth
