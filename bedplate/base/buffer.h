// SPDX-License-Identifier: Apache-2.0
// Buffer: growable bytes for writers that know how much they need before they write.
//
//   char* p = out.need(kIntSizeMax + 1);  // room for that many from here, no check while writing
//   p = write_int(p, n);
//   *p++ = ',';
//   out.advance_to(p);
//
// Cheaper than std::string where many small pieces are written: it does not zero what it grows by, keeps no
// terminator, and its fast path is one compare. Kept between uses it stops allocating: clear() keeps the
// memory, shrink_to() gives back what one large answer took. Not thread-safe. Growing throws std::bad_alloc
// only when the system is out of memory; how large it may become is for the caller to bound.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace bedplate {

class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t capacity) { grow(capacity); }
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Buffer() { deallocate(begin_); }

  /// Where to write next, with room for at least `size` bytes. Valid until the next call that may grow.
  char* need(std::size_t size) {
    if (static_cast<std::size_t>(limit_ - cursor_) < size) [[unlikely]]
      grow(size);
    return cursor_;
  }
  /// What was written through need() ends here.
  void advance_to(char* cursor) { cursor_ = cursor; }

  void put(char c) {
    char* p = need(1);
    *p = c;
    cursor_ = p + 1;
  }
  void append(std::string_view text) {
    char* p = need(text.size());
    if (!text.empty()) std::memcpy(p, text.data(), text.size());
    cursor_ = p + text.size();
  }
  /// The same names as std::string has, so that templates can write to either.
  void push_back(char c) { put(c); }

  char* data() { return begin_; }
  const char* data() const { return begin_; }
  std::size_t size() const { return static_cast<std::size_t>(cursor_ - begin_); }
  std::size_t capacity() const { return static_cast<std::size_t>(limit_ - begin_); }
  bool empty() const { return cursor_ == begin_; }
  std::string_view view() const { return {begin_, size()}; }
  std::string to_string() const { return std::string(view()); }

  /// The last byte written; there must be one.
  char& back() { return cursor_[-1]; }
  /// Forgets what stands after the first `size` bytes (at most size()).
  void truncate(std::size_t size) { cursor_ = begin_ + size; }
  /// Empty again, memory kept.
  void clear() { cursor_ = begin_; }
  /// Empty again; memory beyond `capacity` is given back.
  void shrink_to(std::size_t capacity) {
    clear();
    if (this->capacity() > capacity) Buffer().swap(*this);
  }
  /// Drops the first `size` bytes (at most size()) and moves the rest to the front.
  void consume(std::size_t size) {
    const std::size_t rest = this->size() - size;
    // NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): with a rest there is memory
    if (rest != 0) std::memmove(begin_, begin_ + size, rest);
    cursor_ = begin_ + rest;
  }
  void swap(Buffer& other) noexcept {
    std::swap(begin_, other.begin_);
    std::swap(cursor_, other.cursor_);
    std::swap(limit_, other.limit_);
  }

 private:
  void grow(std::size_t size);
  static void deallocate(char* bytes) noexcept;

  char* begin_ = nullptr;
  char* cursor_ = nullptr;
  char* limit_ = nullptr;
};

}  // namespace bedplate
