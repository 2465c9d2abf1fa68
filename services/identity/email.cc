// SPDX-License-Identifier: Apache-2.0
#include "services/identity/email.h"

#include <idn2.h>

#include <algorithm>
#include <memory>

#include "bedplate/base/text.h"
#include "bedplate/describe/text/text_format.h"

namespace bedplate::identity {
namespace {

struct Free {
  void operator()(char* text) const { idn2_free(text); }
};

constexpr std::string_view kSpaces[] = {" ", "\t", "\r", "\n", "\u00a0", "\u3000"};

/// Whether a space began the text, and was taken away.
bool take_space(std::string_view& text) {
  for (std::string_view space : kSpaces)
    if (text.starts_with(space)) return text.remove_prefix(space.size()), true;
  return false;
}
bool take_last_space(std::string_view& text) {
  for (std::string_view space : kSpaces)
    if (text.ends_with(space)) return text.remove_suffix(space.size()), true;
  return false;
}

std::string_view trimmed(std::string_view text) {
  while (take_space(text) || take_last_space(text)) {
  }
  return text;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// The domain in A-labels: by Unicode TR 46, without its transitional rules, as browsers do it.
std::optional<std::string> a_labels(std::string_view domain) {
  if (is_ascii(domain)) return std::string(domain);
  const std::string text(domain);
  char* converted = nullptr;
  const int code = idn2_to_ascii_8z(text.c_str(), &converted, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const std::unique_ptr<char, Free> owned(converted);
  if (code != IDN2_OK) return std::nullopt;
  return std::string(owned.get());
}

}  // namespace

std::optional<std::string> canonical_email(std::string_view typed) {
  const std::string_view text = trimmed(typed);
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::optional<std::string> domain = a_labels(text.substr(at + 1));
  if (!domain) return std::nullopt;
  std::string email = std::string(text.substr(0, at + 1)) + *domain;
  if (!is_email(email)) return std::nullopt;
  return email;
}

const char* check_email(const std::string& typed) {
  return canonical_email(typed) ? nullptr
                                : "must be an e-mail address such as ada@example.com: ASCII before the @, a "
                                  "domain name behind it";
}

std::string email_key(std::string_view email) {
  return to_lower(canonical_email(email).value_or(std::string(trimmed(email))));
}

}  // namespace bedplate::identity
