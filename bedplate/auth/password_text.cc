// SPDX-License-Identifier: Apache-2.0
#include "bedplate/auth/password_text.h"

#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include <cstdint>
#include <cstdlib>
#include <memory>

#include "bedplate/base/text.h"

namespace bedplate::auth {
namespace {

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

constexpr bool is_control(ucs4_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0);
}

/// Well-formed UTF-8 with every space of another kind (general category Zs) as U+0020; nothing when there is a control
/// character.
std::optional<std::string> with_plain_spaces(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    ucs4_t code_point = 0;
    const auto* rest = reinterpret_cast<const std::uint8_t*>(text.data()) + at;
    const auto size = static_cast<std::size_t>(u8_mbtouc_unsafe(&code_point, rest, text.size() - at));
    if (is_control(code_point)) return std::nullopt;
    if (code_point >= 0xA0 && uc_is_general_category(code_point, UC_SPACE_SEPARATOR))
      plain += ' ';
    else
      plain += text.substr(at, size);
    at += size;
  }
  return plain;
}

}  // namespace

std::optional<std::string> normalize_password(std::string_view password) {
  if (password.empty() || !is_valid_utf8(password)) return std::nullopt;
  const std::optional<std::string> plain = with_plain_spaces(password);
  if (!plain) return std::nullopt;
  std::size_t size = 0;
  const std::unique_ptr<std::uint8_t, Free> composed(u8_normalize(
      UNINORM_NFC, reinterpret_cast<const std::uint8_t*>(plain->data()), plain->size(), nullptr, &size));
  if (!composed) return std::nullopt;  // no memory
  return std::string(reinterpret_cast<const char*>(composed.get()), size);
}

const char* check_password(const std::string& password) {
  return normalize_password(password) ? nullptr : "must not have control characters";
}

}  // namespace bedplate::auth
