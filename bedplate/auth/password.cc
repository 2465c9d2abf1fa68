// SPDX-License-Identifier: Apache-2.0
#include "bedplate/auth/password.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <utility>

#include "bedplate/async/worker_pool.h"
#include "bedplate/auth/password_text.h"
#include "bedplate/base/log.h"
#include "bedplate/base/random.h"

namespace bedplate::auth {
namespace {

constexpr std::size_t kSaltSize = crypto_pwhash_SALTBYTES;
constexpr std::size_t kHashSize = 32;  // what libsodium puts into a PHC string

std::size_t memory_bytes(PasswordCost cost) {
  return std::size_t{cost.memory_kib()} * 1024;
}

template <std::size_t Size>
std::string random_base64() {
  std::array<unsigned char, Size> bytes;
  random_bytes(bytes.data(), bytes.size());
  std::array<char, sodium_base64_ENCODED_LEN(Size, sodium_base64_VARIANT_ORIGINAL_NO_PADDING)> text;
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(),
                    sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
  return text.data();
}

/// A hash of no password: random where salt and hash stand. Comparing with it costs what any comparison
/// costs, and making it costs nothing at start.
std::string make_nobodys_hash(PasswordCost cost) {
  return "$argon2id$v=19$m=" + std::to_string(cost.memory_kib()) + ",t=" + std::to_string(cost.passes()) +
         ",p=1$" + random_base64<kSaltSize>() + "$" + random_base64<kHashSize>();
}

/// Nothing when there was no memory for it.
std::optional<std::string> run_argon2id(std::string_view password, PasswordCost cost) {
  std::array<char, crypto_pwhash_STRBYTES> text;
  if (crypto_pwhash_str_alg(text.data(), password.data(), password.size(), cost.passes(), memory_bytes(cost),
                            crypto_pwhash_ALG_ARGON2ID13) != 0)
    return std::nullopt;
  return std::string(text.data());
}

}  // namespace

PasswordCost::PasswordCost(std::uint32_t memory_kib, std::uint32_t passes)
    : memory_kib_(std::clamp(memory_kib, kMemoryKibMin, kMemoryKibMax)),
      passes_(std::clamp(passes, kPassesMin, kPassesMax)) {}

PasswordCost PasswordCost::worthless_for_tests() {
  PasswordCost cost;
  cost.memory_kib_ = crypto_pwhash_argon2id_MEMLIMIT_MIN / 1024;
  cost.passes_ = crypto_pwhash_argon2id_OPSLIMIT_MIN;
  return cost;
}

PasswordHasher::PasswordHasher(PasswordCost cost, PoolSize size)
    : cost_(cost), nobodys_hash_(make_nobodys_hash(cost)) {
  if (sodium_init() < 0) std::abort();  // no random numbers, no safety
  pool_ = std::make_unique<WorkerPool>(size.threads, size.queue_max);
}

PasswordHasher::~PasswordHasher() = default;

Async<std::string> PasswordHasher::hash(std::string_view password) {
  const std::optional<std::string> text = normalize_password(password);
  if (!text)
    co_return fail(Category::invalid, "validation_failed",
                   "A password is not empty and has no control characters.");
  auto work = [this, &text] {
    runs_.fetch_add(1, std::memory_order_relaxed);
    return run_argon2id(*text, cost_);
  };
  std::optional<std::string> stored = co_await ok(pool_->run(work));
  if (!stored) {
    log_error("no memory for a password hash", {{"memory_kib", cost_.memory_kib()}});
    co_return fail(Category::unavailable, "busy", "The server is busy. Try again in a moment.");
  }
  co_return std::move(*stored);
}

Async<bool> PasswordHasher::verify(std::string_view stored, std::string_view password) {
  // libsodium wants it terminated, in a buffer of this size.
  std::array<char, crypto_pwhash_STRBYTES> text{};
  bool readable = stored.size() < text.size();
  if (readable) std::copy(stored.begin(), stored.end(), text.begin());
  const std::optional<std::string> normalized = normalize_password(password);
  const std::string typed = normalized.value_or("");
  auto work = [this, &typed, &text] {
    runs_.fetch_add(1, std::memory_order_relaxed);
    return crypto_pwhash_str_verify(text.data(), typed.data(), typed.size()) == 0;
  };
  bool right = co_await ok(pool_->run(work));
  co_return right&& readable&& normalized.has_value();
}

Async<void> PasswordHasher::verify_nothing(std::string_view password) {
  co_await ok(verify(nobodys_hash_, password));
}

std::size_t PasswordHasher::waiting() const {
  return pool_->stats().queued;
}

bool PasswordHasher::needs_rehash(std::string_view stored) const {
  std::string text(stored);
  return crypto_pwhash_str_needs_rehash(text.c_str(), cost_.passes(), memory_bytes(cost_)) != 0;
}

}  // namespace bedplate::auth
