// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/error.h"

namespace bedplate::sql {

std::unexpected<Error> overtaken() {
  return fail(Category::conflict, kSerializationFailure,
              "Others changed the same data at the same time. Try again.");
}

bool violates(const Error& error, std::string_view code, std::string_view subject) {
  return error.code() == code && error.subject() == subject;
}

}  // namespace bedplate::sql
