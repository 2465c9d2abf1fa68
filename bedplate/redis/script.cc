// SPDX-License-Identifier: Apache-2.0
#include "bedplate/redis/script.h"

#include <openssl/evp.h>

#include <array>

namespace bedplate::redis {

Script::Script(std::string_view source) : source_(source) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(source.data(), source.size(), digest.data(), &size, EVP_sha1(), nullptr);
  for (unsigned i = 0; i < size; ++i) {
    hash_ += kHex[digest[i] >> 4];
    hash_ += kHex[digest[i] & 15];
  }
}

}  // namespace bedplate::redis
