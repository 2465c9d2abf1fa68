// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/id.h"

#include <chrono>
#include <cstring>

#include "bedplate/base/hash.h"
#include "bedplate/base/random.h"
#include "bedplate/base/text.h"

namespace bedplate {

namespace {

/// The bytes of the 36-character form are groups of 4, 2, 2, 2 and 6, with a dash before these.
constexpr bool dash_before(std::size_t byte) {
  return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

constexpr std::uint16_t kCounterMax = 0xFFF;
constexpr std::uint16_t kCounterStartMax =
    0x7FF;  // at least 2048 ids a millisecond before the time runs ahead

/// What keeps one thread's ids in order (RFC 9562 section 6.2, method 1: the 12 bits of rand_a count).
struct Sequence {
  std::uint64_t milliseconds = 0;
  std::uint16_t counter = 0;
};

/// Where the sequence stands after one more id. When the counter is spent, or the clock went back, the time
/// in the id runs ahead of the clock: order matters more than a millisecond.
void advance(Sequence& sequence, std::uint64_t now, std::uint64_t random) {
  if (now > sequence.milliseconds) {
    sequence.milliseconds = now;
    sequence.counter = static_cast<std::uint16_t>(random & kCounterStartMax);
  } else if (sequence.counter == kCounterMax) {
    ++sequence.milliseconds;
    sequence.counter = static_cast<std::uint16_t>(random & kCounterStartMax);
  } else {
    ++sequence.counter;
  }
}

}  // namespace

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid uuid;
  const char* p = text.data();
  int bad = 0;
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
    if (dash_before(i) && *p++ != '-') return std::nullopt;
    const int high = hex_digit_value(p[0]);
    const int low = hex_digit_value(p[1]);
    p += 2;
    bad |= high | low;  // -1 leaves the sign bit set
    uuid.bytes[i] = static_cast<std::uint8_t>(static_cast<unsigned>(high) << 4U | static_cast<unsigned>(low));
  }
  if (bad < 0) return std::nullopt;
  return uuid;
}

void Uuid::write(char* out) const {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (dash_before(i)) *out++ = '-';
    out = write_hex_byte(out, bytes[i]);
  }
}

std::string Uuid::to_string() const {
  std::string text(36, '\0');
  write(text.data());
  return text;
}

Uuid new_uuid() {
  thread_local Sequence sequence;
  using std::chrono::milliseconds;
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const auto now = static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(since_epoch).count());
  const std::uint64_t random = random_u64();
  // The counter starts from bits that are not in the id itself.
  const bool new_start = now > sequence.milliseconds || sequence.counter == kCounterMax;
  advance(sequence, now, new_start ? random_u64() : 0);

  Uuid uuid;
  for (std::size_t i = 0; i < 6; ++i) {
    uuid.bytes[i] = static_cast<std::uint8_t>(sequence.milliseconds >> (40 - 8 * i));
  }
  uuid.bytes[6] = static_cast<std::uint8_t>(0x70U | sequence.counter >> 8U);
  uuid.bytes[7] = static_cast<std::uint8_t>(sequence.counter);
  std::memcpy(&uuid.bytes[8], &random, sizeof random);
  uuid.bytes[8] = static_cast<std::uint8_t>(0x80U | (uuid.bytes[8] & 0x3FU));
  return uuid;
}

}  // namespace bedplate

std::size_t std::hash<bedplate::Uuid>::operator()(const bedplate::Uuid& uuid) const noexcept {
  // Ids come from outside too: keyed, so that nobody can choose ids that share a bucket.
  return bedplate::keyed_hash({reinterpret_cast<const char*>(uuid.bytes.data()), uuid.bytes.size()});
}
