// SPDX-License-Identifier: Apache-2.0
// Access tokens: JSON Web Tokens (RFC 7519) in compact form (RFC 7515), signed with Ed25519 (RFC 8037).
//
//   SigningKey key = SigningKey::generate();
//   std::string token = sign_token(key, policy, claims);
//   Result<TokenClaims> read = verify_token(token, ring, policy, now);
//
// Nothing is negotiated (RFC 8725): the algorithm is EdDSA and the type `at+jwt` (RFC 9068), both compared,
// never looked up. The signature is checked before a byte of the claims is read. Tokens are ours alone, so
// reading is as strict as writing: canonical base64url, no duplicate fields, no unknown header fields, every
// claim present.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/auth/principal.h"
#include "bedplate/base/id.h"
#include "bedplate/base/result.h"
#include "bedplate/base/time.h"

namespace bedplate::auth {

class KeyRing;

inline constexpr std::size_t kTokenSizeMax = 4096;

using PublicKey = std::array<std::uint8_t, 32>;

/// An Ed25519 key pair with a name. The secret half is wiped from memory when it goes away.
class SigningKey {
 public:
  static constexpr std::size_t kSeedSize = 32;
  using Seed = std::array<std::uint8_t, kSeedSize>;

  static SigningKey generate();
  /// The same key again from its seed.
  explicit SigningKey(const Seed& seed);
  SigningKey(const SigningKey&) = default;
  SigningKey& operator=(const SigningKey&) = default;
  ~SigningKey();

  /// The key's JWK thumbprint (RFC 7638), 43 characters of base64url: two keys never share one.
  const std::string& kid() const { return kid_; }
  const PublicKey& public_key() const { return public_key_; }
  Seed seed() const;
  /// 64 bytes.
  std::array<std::uint8_t, 64> sign(std::string_view message) const;

 private:
  std::string kid_;
  PublicKey public_key_{};
  std::array<std::uint8_t, 64> secret_key_{};
};

/// RFC 7638 over {"crv","kty","x"}.
std::string thumbprint(const PublicKey& key);

/// Who issues tokens, for whom, and how much the clocks of a fleet may differ.
struct TokenPolicy {
  std::string issuer = "bedplate";
  std::string audience = "bedplate";
  std::chrono::seconds leeway{5};  ///< Allowed on nbf and iat (another machine's clock), never on exp.
};

/// What a token says. Times have whole seconds in the token (RFC 7519 NumericDate).
struct TokenClaims {
  UserId user;                 ///< sub
  SessionId session;           ///< sid
  Uuid id;                     ///< jti
  std::optional<Uuid> tenant;  ///< tid; absent without one
  std::vector<std::string> roles;
  std::vector<std::string> scopes;  ///< scope, joined by single spaces
  std::int64_t generation = 0;      ///< gen
  Time issued_at{};                 ///< iat, and nbf
  Time expires_at{};                ///< exp
  std::string kid;                  ///< The key that signed it; sign_token() fills it in from the key.
};

std::string sign_token(const SigningKey& key, const TokenPolicy& policy, const TokenClaims& claims);

/// Fails with Category::unauthenticated: `expired_token` for a genuine one whose time is over by the clock `now`,
/// `token_not_yet_valid` for a genuine one whose time has not come by it (the clocks of two servers differ),
/// `invalid_token` for everything else.
Result<TokenClaims> verify_token(std::string_view token, const KeyRing& ring, const TokenPolicy& policy,
                                 Time now);

/// What is no token of ours: one text for every reason.
inline constexpr ErrorCode kInvalidToken{Category::unauthenticated, "invalid_token",
                                         "The access token is not valid."};
/// Genuine tokens that are refused.
inline constexpr ErrorCode kExpiredToken{Category::unauthenticated, "expired_token",
                                         "The access token has expired. Refresh it."};
inline constexpr ErrorCode kTokenNotYetValid{
    Category::unauthenticated, "token_not_yet_valid",
    "The access token is valid from a later time: the clocks of two servers differ."};
inline constexpr ErrorCode kTokenRevoked{Category::unauthenticated, "token_revoked",
                                         "The access token was revoked: its session has ended, or what the "
                                         "user may do has changed. Refresh it, or "
                                         "log in again."};

std::unexpected<Error> invalid_token();
/// With how far the time is off, by the clock `now`.
std::unexpected<Error> expired_token(Time expires_at, Time now);
std::unexpected<Error> token_not_yet_valid(Time valid_from, Time now);

}  // namespace bedplate::auth
