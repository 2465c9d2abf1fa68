#include "bedplate/async/async.h"

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace bedplate::detail {

Error error_of_current_exception() {
  const char* what = "not a std::exception";
  try {
    throw;
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "bedplate: an exception escaped a coroutine: %s\n", exception.what());
  } catch (...) {
    std::fprintf(stderr, "bedplate: an exception escaped a coroutine: %s\n", what);
  }
  return Error(Category::internal, "internal", "The server met an unexpected fault.");
}

void coroutine_waited_where_it_may_not() {
  std::fputs("bedplate: a coroutine waited where it may not (a command awaits nothing but its transaction)\n", stderr);
  std::abort();
}

}  // namespace bedplate::detail
