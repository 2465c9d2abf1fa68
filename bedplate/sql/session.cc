#include "bedplate/sql/session.h"

#include <utility>

#include "bedplate/sql/error.h"

namespace bedplate::sql {

void Statement::set_row_not_found() {
  error.emplace(Category::not_found, kRowNotFound, "There is no such row.");
}

void Statement::complete() {
  if (!fails_ || !failed()) return resume();
  forget();
  fails_->fail_while_suspended(std::move(*error));
}

}  // namespace bedplate::sql
