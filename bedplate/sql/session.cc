// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/session.h"

#include "bedplate/sql/error.h"

namespace bedplate::sql {

void Statement::set_missing() {
  if (required == Required::one_change)
    error.emplace(overtaken().error());
  else if (not_found)
    error.emplace(fail(*not_found).error());
  else
    error.emplace(Category::not_found, kRowNotFound, "There is no such row.");
}

}  // namespace bedplate::sql
