// SPDX-License-Identifier: Apache-2.0
// Locks: one process at a time holds a name for a limited time; with fencing tokens, because no lock over a network is
// certain.
//
//   Lock lock = co_await ok(locks.acquire("reports", 30s));
//   co_await ok(db.transact(&Store::write_report, store, lock, report));   // passes the fence first, see below
//   co_await ok(locks.release(lock));
//
// A holder that pauses (a long collection, a stopped virtual machine) may wake up after its lock has expired and
// believe that it still holds it. No lock service can prevent that, but the protected resource can: each acquire gets
// a token larger than every earlier one, the holder sends it with each write, and the resource refuses a token smaller
// than one that it has seen (Kleppmann, "How to do distributed locking", 2016). In a database execution/fence.h does
// that: `co_await ok(api::pass_fence(tx, lock))` in the transaction that writes. Where only one row is written, a
// column of that row does the same, and zero changed rows mean that the holder was too late:
//
//   UPDATE reports SET body = $2, fence = $3 WHERE id = $1 AND fence <= $3
//
// Without such a check, a lock makes concurrent work rare but does not exclude it.
//
// Tokens are microseconds of the server's clock, or one more than the last: they grow even after the server lost its
// data, unless its clock was set back by more than its downtime.
//
// Drivers: memory (one process) and Redis (one server; a fail-over to a replica may grant a lock twice: the fence
// holds).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "bedplate/async/async.h"
#include "bedplate/redis/client.h"

namespace bedplate::cache {

/// A lock that was granted. Plain data: losing it releases nothing, its time does.
struct Lock {
  std::string name;
  std::string owner;       ///< of this acquire alone
  std::int64_t token = 0;  ///< larger than all before it of this name
};

/// Thread-safe; from coroutines on loops.
class Locks {
 public:
  virtual ~Locks() = default;

  /// Category::conflict `locked`, at once, while somebody else holds it; unavailable when the lock service is away.
  /// `lifetime` is at least a millisecond.
  virtual Async<Lock> acquire(std::string_view name, std::chrono::milliseconds lifetime) = 0;
  /// Keeps it for `lifetime` from now. Category::conflict `lock_lost`: it is not yours any more.
  virtual Async<void> extend(const Lock& lock, std::chrono::milliseconds lifetime) = 0;
  /// Gives it back. `lock_lost` as above; whoever has it now keeps it.
  virtual Async<void> release(const Lock& lock) = 0;

  /// Tries again, with back-off, until it is granted or `patience` is over (then `locked`).
  Async<Lock> wait_for(std::string_view name, std::chrono::milliseconds lifetime,
                       std::chrono::milliseconds patience);
};

/// Within this process.
class MemoryLocks final : public Locks {
 public:
  Async<Lock> acquire(std::string_view name, std::chrono::milliseconds lifetime) override;
  Async<void> extend(const Lock& lock, std::chrono::milliseconds lifetime) override;
  Async<void> release(const Lock& lock) override;

 private:
  struct Held {
    std::string owner;
    std::chrono::steady_clock::time_point until;
  };
  std::mutex mutex_;
  std::map<std::string, Held, std::less<>> held_;  ///< those that were not released; swept on acquire
  std::int64_t last_token_ = 0;
};

/// Among all processes that use one Redis (or Cluster).
class RedisLocks final : public Locks {
 public:
  /// `client` outlives it.
  explicit RedisLocks(redis::Client& client, std::string prefix = "bedplate:");

  Async<Lock> acquire(std::string_view name, std::chrono::milliseconds lifetime) override;
  Async<void> extend(const Lock& lock, std::chrono::milliseconds lifetime) override;
  Async<void> release(const Lock& lock) override;

 private:
  std::string key_of(std::string_view name) const { return prefix_ + "lock:" + std::string(name); }
  Async<void> check_and(const redis::Script& script, const Lock& lock, std::vector<std::string> arguments);

  redis::Client& client_;
  const std::string prefix_;
  const redis::Script acquire_;
  const redis::Script extend_;
  const redis::Script release_;
};

}  // namespace bedplate::cache
