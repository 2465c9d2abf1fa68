// SPDX-License-Identifier: Apache-2.0
// Request methods (RFC 9110 section 9). They are case-sensitive: "get" is not GET but an unknown method.
#pragma once

#include <cstdint>
#include <string_view>

namespace bedplate::http {

enum class Method : std::uint8_t {
  get,
  head,
  post,
  put,
  del,  ///< DELETE
  patch,
  options,
  connect,
  trace,
  other,  ///< a token that is none of these; Request::method_text() has it
};

inline constexpr unsigned kMethodCount = 10;

/// Method::other for everything that is not one of the known names.
Method parse_method(std::string_view text);

/// "GET", "DELETE", ...; "" for other.
std::string_view method_name(Method method);

}  // namespace bedplate::http
