// SPDX-License-Identifier: Apache-2.0
// Passwords of any bytes: what is taken is UTF-8 without control characters, and stays as it is the next time.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bedplate/auth/password_text.h"
#include "bedplate/base/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto once = bedplate::auth::normalize_password({reinterpret_cast<const char*>(data), size});
  if (!once) return 0;
  if (once->empty() || !bedplate::is_valid_utf8(*once)) std::abort();
  for (char c : *once)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) std::abort();
  if (bedplate::auth::normalize_password(*once) != once) std::abort();
  return 0;
}
