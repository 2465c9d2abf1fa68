// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/cors.h"

#include <gmock/gmock.h>

#include "bedplate/describe/validate.h"

namespace bedplate::api {
namespace {

using ::testing::HasSubstr;

/// What is wrong with settings that list this one origin; empty: nothing.
std::string fault_of(std::string_view origin) {
  CorsSettings settings;
  settings.allowed_origins = {std::string(origin)};
  Faults faults;
  validate(type_of<CorsSettings>(), &settings, faults);
  if (faults.empty()) return {};
  EXPECT_EQ(faults.list().front().pointer, "/allowed_origins") << origin;
  return faults.list().front().message;
}

TEST(CorsTest, TakesWhatABrowserCanSend) {
  for (std::string_view origin :
       {"*", "https://example.com", "http://localhost:3000", "https://a-b.example.co.uk:8443",
        "HTTPS://B.com", "http://127.0.0.1:8080", "http://[::1]:5173", "http://[2001:db8::7]",
        "https://xn--bcher-kva.example", "chrome-extension://abcdefghijklmnop", "capacitor://localhost",
        "https://my_host"})
    EXPECT_EQ(fault_of(origin), "") << origin;
}

TEST(CorsTest, NamesTheNearMissOfWhatMatchesNothing) {
  struct Case {
    std::string_view origin;
    std::string_view said;
  };
  for (const Case& wrong : {
           Case{"https://example.com/", "write https://example.com"},
           Case{"https://example.com/app", "write https://example.com"},
           Case{"https://example.com?x", "write https://example.com"},
           Case{"example.com", "write https://example.com"},
           Case{"localhost:3000", "write https://localhost:3000"},
           Case{" https://example.com", "write https://example.com"},
           Case{"https://example.com:443", "write https://example.com"},
           Case{"http://example.com:80", "write http://example.com"},
           Case{"https://*.example.com", "write each origin"},
           Case{"*.example.com", "write each origin"},
           Case{"null", "cors.allow_null_origin = true"},
           Case{"Null", "cors.allow_null_origin = true"},
           Case{"https://b\xc3\xbc"
                "cher.example",
                "xn--"},
           Case{"https://", "a scheme, a host"},
           Case{"https://user@example.com", "a scheme, a host"},
           Case{"https://example.com:99999", "a scheme, a host"},
           Case{"https://example.com:", "a scheme, a host"},
           Case{"https:example.com", "a scheme, a host"},
           Case{"https://a.example https://b.example", "a scheme, a host"},
       }) {
    const std::string fault = fault_of(wrong.origin);
    EXPECT_THAT(fault, HasSubstr(wrong.said)) << wrong.origin;
    EXPECT_THAT(fault, HasSubstr(wrong.origin));
  }
}

TEST(CorsTest, TheOriginNullIsAllowedOnlyWhereThatIsSaid) {
  CorsSettings settings;
  settings.allowed_origins = {"https://example.com"};
  const auto allowed = [&settings](std::string_view origin) {
    http::Response response;
    Cors(settings).add_fields(origin, response);
    return std::string(response.field(http::FieldId::access_control_allow_origin));
  };
  EXPECT_EQ(allowed("null"), "");
  settings.allow_null_origin = true;
  EXPECT_EQ(allowed("null"), "null");
  EXPECT_EQ(allowed("https://example.com"), "https://example.com");
}

}  // namespace
}  // namespace bedplate::api
