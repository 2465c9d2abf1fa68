// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/session.h"

#include "bedplate/sql/error.h"

namespace bedplate::sql {

void Statement::set_row_not_found() {
  error.emplace(Category::not_found, kRowNotFound, "There is no such row.");
}

}  // namespace bedplate::sql
