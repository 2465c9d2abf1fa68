// SPDX-License-Identifier: Apache-2.0
// ValueSlot: storage for one input or output while a request runs. Like AnyValue, but its memory comes from the
// thread's pool of coroutine frames, so that a request in steady state asks the allocator for nothing.
#pragma once

#include "bedplate/async/frame_pool.h"
#include "bedplate/describe/describe.h"

namespace bedplate::api {

/// Empty when made from null. Not movable: operations hold its address.
class ValueSlot {
 public:
  explicit ValueSlot(const TypeInfo* type) : type_(type) {
    if (type_ == nullptr) return;
    data_ = bedplate::detail::FramePool::allocate(type_->size);
    type_->ops->construct(data_);
  }
  ValueSlot(const ValueSlot&) = delete;
  ValueSlot& operator=(const ValueSlot&) = delete;
  ~ValueSlot() {
    if (type_ == nullptr) return;
    type_->ops->destroy(data_);
    bedplate::detail::FramePool::release(data_, type_->size);
  }

  void* data() { return data_; }
  const void* data() const { return data_; }

 private:
  const TypeInfo* type_;
  void* data_ = nullptr;
};

}  // namespace bedplate::api
