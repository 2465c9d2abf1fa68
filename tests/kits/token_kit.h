// SPDX-License-Identifier: Apache-2.0
// For the tests and the fuzz target of this room: a key that is always the same, and tokens made of any text.
#pragma once

#include <string>
#include <string_view>

#include "bedplate/auth/key_ring.h"
#include "bedplate/auth/token.h"
#include "bedplate/base/text.h"

namespace bedplate::auth::fixture {

inline constexpr Time kNow{std::chrono::seconds(1'800'000'000)};

/// RFC 8037 appendix A.1.
inline SigningKey rfc_key() {
  std::string bytes = *from_base64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
  SigningKey::Seed seed;
  for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<std::uint8_t>(bytes[i]);
  return SigningKey(seed);
}

inline std::string signed_with(const SigningKey& key, std::string_view text) {
  auto signature = key.sign(text);
  std::string_view bytes(reinterpret_cast<const char*>(signature.data()), signature.size());
  return std::string(text) + "." + to_base64url(bytes);
}

/// A token whose header and payload are these texts, under a good signature.
inline std::string token_of(const SigningKey& key, std::string_view header, std::string_view payload) {
  return signed_with(key, to_base64url(header) + "." + to_base64url(payload));
}

inline std::string good_header(const SigningKey& key) {
  return R"({"alg":"EdDSA","typ":"at+jwt","kid":")" + key.kid() + R"("})";
}

inline TokenClaims good_claims(std::chrono::seconds life = std::chrono::seconds(600)) {
  TokenClaims claims;
  claims.user = new_id<UserId>();
  claims.session = new_id<SessionId>();
  claims.id = new_uuid();
  claims.roles = {"user"};
  claims.scopes = {"tasks:read", "account"};
  claims.generation = 3;
  claims.issued_at = kNow;
  claims.expires_at = kNow + life;
  return claims;
}

inline void put_into(KeyRing& ring, const SigningKey& key) {
  ring.replace({RingKey{key, Time{}, Time::max()}});
}

}  // namespace bedplate::auth::fixture
