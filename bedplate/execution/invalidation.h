// SPDX-License-Identifier: Apache-2.0
// Erases the cached values that a transaction changed, on every replica, once it has committed.
//
//   Async<void> Users::rename(const Caller&, sql::Transaction& tx, const RenameUser& input) const {
//     co_await ok(store::rename(tx, input.id, input.name));
//     api::invalidate_after_commit(tx, profiles_, cache::Partition::of_tenant(tx.tenant()), input.id.to_string());
//   }
//
// The answer is sent after the erasure, so the client's next request, on any replica, loads what it wrote (other
// replicas' own copies go a moment later, when the message has reached them). A transaction that rolls back erases
// nothing. One whose outcome is unknown (503 `commit_unknown`) erases, and so does one whose client has disconnected.
// If the cache is unreachable, the command succeeds all the same, and the old value stays until it expires.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "bedplate/cache/loading_cache.h"
#include "bedplate/cache/region.h"
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

/// The same for a value of a region.
template <class T>
void invalidate_after_commit(sql::Transaction& transaction, cache::Region<T>& region,
                             const cache::Partition& whose, std::string_view id) {
  invalidate_after_commit(transaction, region.cache(), region.key_of(whose, id));
}

}  // namespace bedplate::api
