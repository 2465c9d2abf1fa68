// SPDX-License-Identifier: Apache-2.0
// The key that seals what the database must not give away with a backup of it: signing keys, secrets of others.
// Modules get the program's from their host (app/host.h).
//
//   Result<SealingKey> key = SealingKey::load_or_make("/var/lib/notes/identity.key");
//   std::string kept = key->seal(seed);
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bedplate/base/result.h"

namespace bedplate::auth {

/// 32 bytes that seal other secrets (libsodium secretbox: XSalsa20-Poly1305). Wiped when it goes away.
class SealingKey {
 public:
  using Bytes = std::array<std::uint8_t, 32>;

  /// Reads the file (43 characters of base64url, a line end allowed), or makes it with mode 0600 when there
  /// is none. A file that others can read or the group can write is refused with a sentence that says so.
  static Result<SealingKey> load_or_make(const std::string& path);
  static SealingKey generate();

  explicit SealingKey(const Bytes& bytes) : bytes_(bytes) {}
  SealingKey(const SealingKey&) = default;
  SealingKey& operator=(const SealingKey&) = default;
  ~SealingKey();

  /// Nonce and box, in base64url. Two seals of the same text differ.
  std::string seal(std::string_view secret) const;
  /// Nothing when it was sealed with another key, or altered.
  std::optional<std::string> unseal(std::string_view sealed) const;

  /// The file that it was read from; empty when it was not.
  const std::string& file() const { return file_; }

 private:
  Bytes bytes_;
  std::string file_;
};

}  // namespace bedplate::auth
