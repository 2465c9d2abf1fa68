// SPDX-License-Identifier: Apache-2.0
#include "bedplate/auth/jwks.h"

#include <string_view>
#include <utility>

#include "bedplate/base/text.h"

namespace bedplate::auth {

JwkSet jwk_set(const KeyRing& ring, Time now) {
  JwkSet set;
  for (const RingKey& key : ring.published(now)) {
    const PublicKey& bytes = key.key.public_key();
    Jwk jwk;
    jwk.kid = key.key.kid();
    jwk.x = to_base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    set.keys.push_back(std::move(jwk));
  }
  return set;
}

}  // namespace bedplate::auth
