// SPDX-License-Identifier: Apache-2.0
// Memory for coroutine frames: freed frames wait on a list of their size class for the next coroutine of
// their thread. Frames are small and short-lived, and the same few sizes come again and again.
#pragma once

#include <cstddef>
#include <new>

// AddressSanitizer sees what happens to a frame only when that is given back. GCC and clang tell of it differently.
#if defined(__SANITIZE_ADDRESS__)
#define BEDPLATE_NO_FRAME_POOL
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BEDPLATE_NO_FRAME_POOL
#endif
#endif

namespace bedplate::detail {

/// One per thread. A frame may be freed on another thread than the one that made it (it then serves that
/// one).
class FramePool {
 public:
  static void* allocate(std::size_t size) {
#if !defined(BEDPLATE_NO_FRAME_POOL)
    std::size_t slot = (size + kGranule - 1) / kGranule;
    if (slot < kSlots) {
      if (Node* node = free_[slot].head) {
        free_[slot].head = node->next;
        --free_[slot].count;
        return node;
      }
      return ::operator new(slot * kGranule);
    }
#endif
    return ::operator new(size);
  }

  static void release(void* frame, [[maybe_unused]] std::size_t size) noexcept {
#if !defined(BEDPLATE_NO_FRAME_POOL)
    std::size_t slot = (size + kGranule - 1) / kGranule;
    if (slot < kSlots && free_[slot].count < kKeptMax) {
      free_[slot].head = new (frame) Node{free_[slot].head};
      ++free_[slot].count;
      return;
    }
#endif
    ::operator delete(frame);
  }

 private:
  struct Node {
    Node* next;
  };
  struct List {
    Node* head;
    std::size_t count;
  };
  static constexpr std::size_t kGranule = 128;   // bytes
  static constexpr std::size_t kSlots = 33;      // frames up to 4 KiB
  static constexpr std::size_t kKeptMax = 4096;  // a class, so that a burst does not stay for ever

  // Trivially destructible on purpose: coroutines may end while a thread's other locals are being destroyed.
  static constinit inline thread_local List free_[kSlots]{};
};

}  // namespace bedplate::detail
