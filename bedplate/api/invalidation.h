// Cached values that a transaction makes old: erased once it has committed, on every replica.
//
//   Async<void> Users::rename(const Caller&, sql::Transaction& tx, const RenameUser& input) const {
//     co_await ok(store::rename(tx, input.id, input.name));
//     api::invalidate_after_commit(tx, cache_, profiles_.key_of(input.id.to_string()));
//   }
//
// The answer is sent after the erasure, so the client's next request, on any replica, loads what it wrote (other
// replicas' own copies go a moment later, when the message has reached them). A transaction that rolls back erases
// nothing. What could not be erased because the cache is away lives until its time is over, and the command succeeds.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "bedplate/cache/loading_cache.h"
#include "bedplate/sql/session.h"

namespace bedplate::api {

namespace detail {

class Invalidation final : public sql::CommitAction {
 public:
  Invalidation(cache::LoadingCache& cache, std::string key) : cache_(cache), key_(std::move(key)) {}
  Async<void> after_commit() override { return cache_.invalidate(key_); }

 private:
  cache::LoadingCache& cache_;
  const std::string key_;
};

}  // namespace detail

/// `cache` outlives the call of transact() that this is in.
inline void invalidate_after_commit(sql::Transaction& transaction, cache::LoadingCache& cache,
                                    std::string key) {
  transaction.after_commit(std::make_unique<detail::Invalidation>(cache, std::move(key)));
}

}  // namespace bedplate::api
