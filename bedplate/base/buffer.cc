// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/buffer.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace bedplate {

namespace {
constexpr std::size_t kFirstCapacity = 512;
}  // namespace

void Buffer::grow(std::size_t size) {
  const std::size_t used = this->size();
  if (size > SIZE_MAX / 2 - used) throw std::bad_alloc();
  const std::size_t wanted = std::max({used + size, 2 * capacity(), kFirstCapacity});
  auto* bytes = static_cast<char*>(std::realloc(begin_, wanted));
  if (bytes == nullptr) throw std::bad_alloc();
  begin_ = bytes;
  cursor_ = bytes + used;
  limit_ = bytes + wanted;
}

void Buffer::deallocate(char* bytes) noexcept {
  std::free(bytes);
}

}  // namespace bedplate
