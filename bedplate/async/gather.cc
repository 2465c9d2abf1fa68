// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/gather.h"

#include "bedplate/async/loop.h"

namespace bedplate::detail {

void GatherOp::settled(std::size_t index, bool failed) {
  if (first_ || until_ == Until::all || (until_ == Until::failure && !failed)) return;
  first_ = index;
  group_.cancel(Category::cancelled);
}

// Later, from the loop: the last child's frame goes before what it refers to, and nobody goes on in the middle of a
// cancel().
void GatherOp::ended() {
  if (--running_ == 0 && waiter) Loop::current()->resume_later(*this);
}

}  // namespace bedplate::detail
