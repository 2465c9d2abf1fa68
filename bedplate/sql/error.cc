// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/error.h"

namespace bedplate::sql {

bool violates(const Error& error, std::string_view code, std::string_view subject) {
  return error.code() == code && error.subject() == subject;
}

}  // namespace bedplate::sql
