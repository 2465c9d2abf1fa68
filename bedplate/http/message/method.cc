// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/message/method.h"

#include <array>

namespace bedplate::http {
namespace {

constexpr std::array<std::string_view, kMethodCount> kNames = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE", ""};

}  // namespace

Method parse_method(std::string_view text) {
  if (text == "GET") return Method::get;
  for (unsigned i = 1; i + 1 < kMethodCount; ++i)
    if (text == kNames[i]) return static_cast<Method>(i);
  return Method::other;
}

std::string_view method_name(Method method) {
  return kNames[static_cast<unsigned>(method)];
}

}  // namespace bedplate::http
