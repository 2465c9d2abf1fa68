// SPDX-License-Identifier: Apache-2.0
// Tokens of any bytes: as they come from outside, and as payload and header under a good signature, so that
// the reading behind the signature is reached too.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tests/kits/token_kit.h"

using namespace bedplate::auth;

namespace {

struct World {
  SigningKey key = fixture::rfc_key();
  KeyRing ring;
  TokenPolicy policy;
  World() { fixture::put_into(ring, key); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const World world;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto outside = verify_token(text, world.ring, world.policy, fixture::kNow);
  if (outside && outside->kid != world.key.kid()) std::abort();
  if (size > 2048) return 0;
  (void)verify_token(fixture::token_of(world.key, text, "{}"), world.ring, world.policy, fixture::kNow);
  auto inside = verify_token(fixture::token_of(world.key, fixture::good_header(world.key), text), world.ring,
                             world.policy, fixture::kNow);
  if (inside && inside->expires_at <= fixture::kNow) std::abort();
  return 0;
}
