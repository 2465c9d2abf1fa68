// SPDX-License-Identifier: Apache-2.0
// The keys of access tokens: one signs, the ones before it still verify until their last token has expired,
// and the next one is published before it signs, so that every replica and every client knows it by then.
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
  /// Tokens of it are refused from here on. Time::max(): it has no successor yet.
  Time verifies_until = Time::max();
};

/// Thread-safe: loops read while a background task puts new keys in.
class KeyRing {
 public:
  /// Takes the place of all keys there were. Keys are few (a handful): they are searched one by one. True
  /// when a key has gone: call Revocations::bump() then, so that no cache trusts its tokens any longer.
  bool replace(std::vector<RingKey> keys);

  /// The key to sign with now; null while there is none.
  std::shared_ptr<const SigningKey> signing_key(Time now) const;
  /// The public key of that name, if its tokens are still good.
  std::optional<PublicKey> find(std::string_view kid, Time now) const;
  /// All keys that verify something now or will soon, youngest first.
  std::vector<RingKey> published(Time now) const;

 private:
  using Keys = std::vector<RingKey>;
  std::shared_ptr<const Keys> keys() const;

  mutable std::mutex mutex_;
  std::shared_ptr<const Keys> keys_ = std::make_shared<const Keys>();
};

}  // namespace bedplate::auth
