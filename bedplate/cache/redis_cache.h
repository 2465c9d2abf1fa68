// SPDX-License-Identifier: Apache-2.0
// RedisCache: the driver `redis:` alone: every get asks the server.
//
// On the server a key is `prefix` and the cache's key; its value is 18 bytes that say what it is (a version, whether
// it is a negative entry, until when it is fresh and kept, as milliseconds of the wall clock) and then the bytes.
// Processes whose clocks differ disagree by as much on what is fresh. What cannot be read, because another version
// wrote it, is not there.
//
// erase() deletes the key and publishes it on the channel `<prefix>erased`, in one step on one server (in a Cluster:
// one after the other), with the sender's name in front, so that caches in front of Redis forget it too.
//
// An erasure that Redis may not have received is remembered (pending_invalidations.h): until it has, this process does
// not find the key, whatever Redis says. It is repeated after the next call that Redis answers, or by repeat_pending().
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "bedplate/cache/cache.h"
#include "bedplate/cache/pending_invalidations.h"
#include "bedplate/redis/client.h"

namespace bedplate::cache {

class RedisCache final : public Cache {
 public:
  /// `client` outlives it. `prefix` keeps applications that share a Redis apart.
  explicit RedisCache(redis::Client& client, std::string prefix = "bedplate:");

  Async<std::optional<Hit>> get(std::string_view key) override;
  Async<void> put(std::string_view key, Entry entry, Lifetime lifetime) override;
  Async<void> erase(std::string_view key) override;
  void set_listener(InvalidationListener* listener) override { listener_.store(listener); }

  /// Redis can be reached again: pending invalidations are repeated. From a loop; does not wait.
  void repeat_pending();
  const PendingInvalidations& pending() const { return debts_->pending; }

  std::string channel() const { return prefix_ + "erased"; }
  /// The name in front of this process's messages, kSenderSize characters.
  const std::string& sender() const { return sender_; }
  static constexpr std::size_t kSenderSize = 16;

 private:
  /// Outlives the cache with those who repeat.
  struct Debts {
    PendingInvalidations pending;
    std::atomic<int> repeating{0};
    std::atomic<std::int64_t> pause_until_ns{0};  ///< of the steady clock: an attempt has failed
  };
  static Async<void> erase_there(redis::Client& client, std::string full_key, std::string channel,
                                 std::string message);
  static Async<void> repeat(redis::Client& client, std::shared_ptr<Debts> debts, std::string prefix,
                            std::string sender);
  void on_answered();

  std::string full(std::string_view key) const { return prefix_ + std::string(key); }

  redis::Client& client_;
  const std::string prefix_;
  const std::string sender_;
  std::atomic<InvalidationListener*> listener_{nullptr};
  const std::shared_ptr<Debts> debts_ = std::make_shared<Debts>();
};

/// The bytes in front of a value in Redis. For RedisCache and its tests.
struct Envelope {
  bool absent = false;
  std::int64_t fresh_until_ms = 0;
  std::int64_t keep_until_ms = 0;

  static constexpr std::size_t kSize = 18;
  void write(std::string& out) const;
  static std::optional<Envelope> read(std::string_view bytes);
};

}  // namespace bedplate::cache
