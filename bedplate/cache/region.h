// SPDX-License-Identifier: Apache-2.0
// Region: cached values of one type, loaded on a miss.
//
//   class Profiles final : public cache::Loader<Profile> {
//    public:
//     Profiles(cache::LoadingCache& cache, sql::Database& db) : db_(db), cached_(cache, "profile", {}, *this) {}
//     Async<std::optional<Profile>> find(const Caller& caller, std::string_view id) {
//       return cached_.get_or_load(cache::Partition::of_tenant(caller.tenant()), id);
//     }
//     Async<std::optional<Profile>> load(cache::Partition whose, std::string id) override {
//       sql::CallContext context(whose.tenant());
//       return db_.read(context, &store::find_profile, id);
//     }
//
//    private:
//     sql::Database& db_;
//     cache::Region<Profile> cached_;
//   };
//
// A value belongs to a partition (partition.h), which is a part of its key: a value that was loaded for one tenant is
// never found for another, whatever the id. Where values differ from user to user, put the user into the id.
//
// A loader opens a read of its own and uses nothing of the request, because it may serve several requests and outlive
// all of them (loading_cache.h says what else get_or_load() does). Described types are stored as JSON, a std::string
// as it is. A cached value that cannot be read as T, because another version wrote it, is loaded again.
//
// After a change: `cached_.invalidate(whose, id)`, or execution/invalidation.h for "once this transaction has
// committed".
#pragma once

#include <cassert>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>

#include "bedplate/cache/loading_cache.h"
#include "bedplate/cache/partition.h"
#include "bedplate/describe/json/json.h"

namespace bedplate::cache {

template <class T>
class Loader {
 public:
  /// Nothing: there is no such thing in this partition.
  virtual Async<std::optional<T>> load(Partition whose, std::string id) = 0;

 protected:
  ~Loader() = default;
};

/// Thread-safe. Names of regions are unique in an application, and have no colon.
template <class T>
class Region final : private BytesLoader {
 public:
  /// `cache` and `loader` outlive it.
  Region(LoadingCache& cache, std::string name, Policy policy, Loader<T>& loader)
      : cache_(cache), prefix_(std::move(name) + ":"), policy_(policy), loader_(loader) {
    assert(prefix_.find(':') == prefix_.size() - 1 && "the name of a region has no colon");
  }
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  Async<std::optional<T>> get_or_load(Partition whose, std::string_view id) {
    const std::string key = key_of(whose, id);
    for (bool again = true;; again = false) {
      Found found = co_await ok(cache_.get(key, policy_, *this));
      if (found.absent) co_return std::nullopt;
      std::optional<T> value = decoded(found.value.view());
      if (value) co_return value;
      co_await ok(cache_.invalidate(key));
      if (!again) co_return co_await loader_.load(whose, std::string(id));
    }
  }

  Async<void> invalidate(Partition whose, std::string_view id) {
    const std::string key = key_of(whose, id);
    co_await ok(cache_.invalidate(key));
  }

  /// "profile:" + the partition + ":" + the id.
  std::string key_of(const Partition& whose, std::string_view id) const {
    return prefix_ + whose.to_text() + ":" + std::string(id);
  }
  LoadingCache& cache() { return cache_; }

 private:
  Async<std::optional<std::string>> load_bytes(std::string key) override {
    const std::string_view rest = std::string_view(key).substr(prefix_.size());
    const std::optional<Partition> whose = Partition::from_text(rest.substr(0, Partition::kTextSize));
    assert(whose && "keys of a region come from key_of()");
    std::optional<T> value =
        co_await ok(loader_.load(*whose, std::string(rest.substr(Partition::kTextSize + 1))));
    if (!value) co_return std::nullopt;
    co_return encoded(*value);
  }

  static std::string encoded(const T& value) {
    if constexpr (std::same_as<T, std::string>)
      return value;
    else
      return to_json(value, View::stored);
  }
  static std::optional<T> decoded(std::string_view bytes) {
    if constexpr (std::same_as<T, std::string>) {
      return std::string(bytes);
    } else {
      JsonLimits limits;
      limits.view = View::stored;
      Result<T> value = from_json<T>(bytes, limits);
      if (!value) return std::nullopt;
      return std::move(*value);
    }
  }

  LoadingCache& cache_;
  const std::string prefix_;
  const Policy policy_;
  Loader<T>& loader_;
};

}  // namespace bedplate::cache
