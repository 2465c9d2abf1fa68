#include "bedplate/async/cancel.h"

namespace bedplate {

Error Scope::error() const {
  int reason = reason_.load(std::memory_order_relaxed);
  if (reason == static_cast<int>(Category::timeout))
    return Error(Category::timeout, "deadline_exceeded", "The request took longer than it may.");
  return Error(Category::cancelled, "cancelled", "The caller went away.");
}

}  // namespace bedplate
