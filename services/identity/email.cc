// SPDX-License-Identifier: Apache-2.0
#include "services/identity/email.h"

#include "bedplate/base/text.h"

namespace bedplate::identity {

std::string email_key(std::string_view email) {
  return to_lower(email);
}

}  // namespace bedplate::identity
