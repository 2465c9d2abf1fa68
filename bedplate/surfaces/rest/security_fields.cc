// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/security_fields.h"

namespace bedplate::api {

void add_security_fields(http::FieldBlock& fields, std::string_view content_security_policy,
                         const RestSettings& rest) {
  fields.add("X-Content-Type-Options", "nosniff")
      .add("Content-Security-Policy", content_security_policy)
      .add("Referrer-Policy", "no-referrer")
      .add("X-Frame-Options", "DENY")
      .add("Cross-Origin-Resource-Policy", "same-origin");
  if (rest.strict_transport_security)
    fields.add("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
}

}  // namespace bedplate::api
