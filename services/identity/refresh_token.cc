// SPDX-License-Identifier: Apache-2.0
#include "services/identity/refresh_token.h"

#include <sodium.h>

#include "bedplate/base/random.h"
#include "bedplate/base/text.h"

namespace bedplate::identity {
namespace {

constexpr std::string_view kPrefix = "bpr_";
constexpr std::size_t kRandomBytes = 32;

}  // namespace

std::string new_refresh_token() {
  char bytes[kRandomBytes];
  random_bytes(bytes, sizeof(bytes));
  return std::string(kPrefix) + to_base64url({bytes, sizeof(bytes)});
}

std::string hash_of_refresh_token(std::string_view token) {
  unsigned char hash[crypto_generichash_BYTES];
  crypto_generichash(hash, sizeof(hash), reinterpret_cast<const unsigned char*>(token.data()), token.size(),
                     nullptr, 0);
  return to_base64url({reinterpret_cast<const char*>(hash), sizeof(hash)});
}

}  // namespace bedplate::identity
