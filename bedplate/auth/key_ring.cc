// SPDX-License-Identifier: Apache-2.0
#include "bedplate/auth/key_ring.h"

#include <algorithm>
#include <utility>

namespace bedplate::auth {

bool KeyRing::replace(std::vector<RingKey> keys) {
  std::sort(keys.begin(), keys.end(),
            [](const RingKey& a, const RingKey& b) { return a.signs_from > b.signs_from; });
  auto fresh = std::make_shared<const Keys>(std::move(keys));
  std::lock_guard lock(mutex_);
  auto stays = [&](const RingKey& old) {
    return std::any_of(fresh->begin(), fresh->end(),
                       [&](const RingKey& key) { return key.key.kid() == old.key.kid(); });
  };
  bool all_stay = std::all_of(keys_->begin(), keys_->end(), stays);
  keys_ = std::move(fresh);
  return !all_stay;
}

std::shared_ptr<const SigningKey> KeyRing::signing_key(Time now) const {
  auto all = keys();
  for (const RingKey& key : *all)
    if (key.signs_from <= now && now < key.verifies_until) return {all, &key.key};
  return nullptr;
}

std::optional<PublicKey> KeyRing::find(std::string_view kid, Time now) const {
  auto all = keys();
  for (const RingKey& key : *all)
    if (key.key.kid() == kid && now < key.verifies_until) return key.key.public_key();
  return std::nullopt;
}

std::vector<RingKey> KeyRing::published(Time now) const {
  auto all = keys();
  std::vector<RingKey> good;
  for (const RingKey& key : *all)
    if (now < key.verifies_until) good.push_back(key);
  return good;
}

std::shared_ptr<const KeyRing::Keys> KeyRing::keys() const {
  std::lock_guard lock(mutex_);
  return keys_;
}

}  // namespace bedplate::auth
