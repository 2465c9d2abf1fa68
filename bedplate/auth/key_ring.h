// The keys of access tokens: one signs, the ones before it still verify until their last token has expired, and
// the next one is published before it signs, so that every replica knows it by then.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/auth/token.h"

namespace bedplate::auth {

/// One key and its time. It signs from `signs_from` until a younger key does.
struct RingKey {
  SigningKey key;
  Time signs_from{};
  /// Tokens of it are refused from here on. Time::max(): no successor yet.
  Time verifies_until = Time::max();
};

/// Thread-safe: loops read while a background task puts new keys in.
class KeyRing {
 public:
  /// Takes the place of all keys there were. Keys are few (at most a handful): they are searched one by one.
  void replace(std::vector<RingKey> keys);

  /// The key to sign with now, or null when there is none yet.
  std::shared_ptr<const SigningKey> signing_key(Time now) const;
  /// The public key of that name, if its tokens are still good.
  std::optional<PublicKey> find(std::string_view kid, Time now) const;
  /// All keys that may verify something, now or soon, as a JWK Set (RFC 7517, RFC 8037 section 2), youngest first.
  std::string jwks(Time now) const;
  /// Changes with every replace() that took a key away, so that caches of verified tokens ask again.
  std::size_t size() const;

 private:
  using Keys = std::vector<RingKey>;
  std::shared_ptr<const Keys> keys() const;

  mutable std::mutex mutex_;
  std::shared_ptr<const Keys> keys_ = std::make_shared<const Keys>();
};

}  // namespace bedplate::auth
