// SPDX-License-Identifier: Apache-2.0
// URLs come from users. One that is accepted is written so that it is read as the same again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "bedplate/outbound/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bedplate;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto check = [](const Result<outbound::Url>& url) {
    if (!url) return;
    const std::string written = url->to_string();
    const Result<outbound::Url> again = outbound::parse_url(written);
    // Rebuilt ones may be a few bytes longer than what was read (an IPv6 address, a path).
    if (!again && written.size() <= outbound::kUrlSizeMax) std::abort();
    if (again && *again != *url) std::abort();
    if (url->host.find_first_of("@/\\?#%[] ") != std::string::npos) std::abort();
  };
  check(outbound::parse_url(text));
  check(outbound::parse_location(*outbound::parse_url("https://example.com/a?b"), text));
  return 0;
}
