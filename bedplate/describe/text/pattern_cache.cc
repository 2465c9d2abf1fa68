// SPDX-License-Identifier: Apache-2.0
#include "bedplate/describe/text/pattern_cache.h"

#include <re2/re2.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace bedplate::detail {

namespace {

struct Compiled {
  const char* source;
  re2::RE2 expression;
  Compiled* next;

  explicit Compiled(const char* text) : source(text), expression(text, re2::RE2::Quiet), next(nullptr) {}
};

/// Lists that only grow at their head: readers follow pointers, writers compare and swap. There are as many
/// entries as patterns in the program, and they live as long as it does.
std::array<std::atomic<Compiled*>, 256> buckets;

std::atomic<Compiled*>& bucket_of(const char* source) {
  const auto address = reinterpret_cast<std::uintptr_t>(source);
  return buckets[(address ^ (address >> 8)) % buckets.size()];
}

const Compiled* find_in(const Compiled* entry, const char* source) {
  while (entry != nullptr && entry->source != source) entry = entry->next;
  return entry;
}

const Compiled& compile(const char* source, std::atomic<Compiled*>& bucket) {
  auto* fresh = new Compiled(source);
  if (!fresh->expression.ok()) {
    std::fprintf(stderr, "A description has a pattern that does not compile: %s (%s)\n", source,
                 fresh->expression.error().c_str());
    std::abort();
  }
  fresh->next = bucket.load(std::memory_order_acquire);
  do {
    if (const Compiled* other = find_in(fresh->next, source); other != nullptr) {
      delete fresh;
      return *other;
    }
  } while (!bucket.compare_exchange_weak(fresh->next, fresh, std::memory_order_release,
                                         std::memory_order_acquire));
  return *fresh;
}

}  // namespace

bool matches_pattern(const char* source, std::string_view text) {
  std::atomic<Compiled*>& bucket = bucket_of(source);
  const Compiled* found = find_in(bucket.load(std::memory_order_acquire), source);
  if (found == nullptr) found = &compile(source, bucket);
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), found->expression);
}

}  // namespace bedplate::detail
