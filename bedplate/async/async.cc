// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/async.h"

#include <cstdio>
#include <cstdlib>
#include <exception>

#include "bedplate/base/log.h"

namespace bedplate::detail {

Error error_of_current_exception() {
  try {
    throw;
  } catch (const std::exception& exception) {
    log_error("an exception escaped a coroutine", {{"what", exception.what()}});
  } catch (...) {
    log_error("an exception escaped a coroutine", {{"what", "not a std::exception"}});
  }
  return Error(Category::internal, "internal", "The server met an unexpected fault.");
}

void coroutine_waited_where_it_may_not() {
  std::fputs("bedplate: a coroutine waited where it may not (a command awaits nothing but its transaction)\n",
             stderr);
  std::abort();
}

}  // namespace bedplate::detail
