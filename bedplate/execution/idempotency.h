// SPDX-License-Identifier: Apache-2.0
// Idempotency keys: a client that did not hear the answer may send a command again, and it runs once
// (draft-ietf-httpapi-idempotency-key-header).
//
//   Idempotency-Key: 6b2f9a0e-...            1 to 128 visible ASCII characters; quotes around it are taken off
//
// The first request with a key runs; its answer is kept in the command's own transaction, so it is there exactly when
// the command's effect is. The same request again gets that answer, with `Idempotency-Replayed: true`, and runs
// nothing. Another request under the key (path or body differ) is refused: 422 `idempotency_key_reused`. A second one
// while the first still runs: 409 `idempotency_key_in_use`. Keys belong to one principal and one operation.
//
// Which keys run is known to this process, and on PostgreSQL, which many processes share, to the database: an advisory
// lock of the transaction, which goes with it however it ends.
//
// Kept are the status, Location, ETag and the body up to a size; of a larger answer only the fact: asked again, it is
// 409 `idempotency_answer_not_kept`, and still runs nothing. Of the request a keyed hash is kept (BLAKE2b under a salt
// of its own), never the body. Records are kept for a time (section `idempotency`); each new one takes a few expired
// ones away, so the table does not grow with age and no request pays for many.
//
// One caller has at most `keys_max` records, about: half of that many keys at once, and as many again in the time that
// a record is kept. A new key beyond that is refused, 429 `too_many_idempotency_keys`; keys that have a record are
// still answered from it. Each process counts by itself and from its start (docs/decisions/0006).
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "bedplate/async/async.h"
#include "bedplate/base/embedded.h"
#include "bedplate/base/id.h"
#include "bedplate/base/time.h"
#include "bedplate/execution/rate_limit.h"
#include "bedplate/execution/settings.h"
#include "bedplate/http/message/message.h"
#include "bedplate/sql/maintenance.h"

namespace bedplate::api {

/// The table of records: module "api" of the program's migrations.
std::span<const EmbeddedFile> idempotency_migrations();

/// Whose keys are kept apart from others'. A user who acts for two tenants has two sets of keys: an answer of one
/// is never replayed in the other.
struct IdempotencyOwner {
  IdempotencyOwner(const Uuid& of_user, const std::optional<Uuid>& of_tenant = {})
      : user(of_user), tenant(of_tenant) {}

  Uuid user;
  std::optional<Uuid> tenant;
};

class Idempotency {
 public:
  /// One request under a key, while it runs. Releases the key when it goes.
  class Claim {
   public:
    Claim(Claim&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)),
          id_(other.id_),
          user_(other.user_),
          request_(std::move(other.request_)),
          counted_(other.counted_) {}
    Claim& operator=(Claim&&) = delete;
    ~Claim();

   private:
    friend class Idempotency;
    Claim(Idempotency& owner, const Uuid& id, const Uuid& user, std::string request)
        : owner_(&owner), id_(id), user_(user), request_(std::move(request)) {}
    Idempotency* owner_;
    Uuid id_;  // of principal, operation and key
    Uuid user_;
    std::string request_;   // what the hash is made of
    bool counted_ = false;  // among the user's new keys: a transaction may run more than once
  };

  /// Where in its transaction a command's record has its place. Empty on SQLite, where keep() makes the record.
  struct Place {
    std::string row;
  };

  Idempotency(const IdempotencySettings& settings, sql::Dialect dialect);

  /// Takes the key for this process. Category::malformed `invalid_idempotency_key`; Category::conflict
  /// `idempotency_key_in_use` while another request has it.
  Result<Claim> claim(std::string_view key, const IdempotencyOwner& owner, std::string_view operation,
                      std::string_view path, std::string_view query, std::string_view body);

  /// First thing in the command's transaction. True: `response` is the kept answer, and nothing is to run. False: the
  /// command runs, and its record has a `place`. Category::conflict `idempotency_key_in_use` while another process runs
  /// the key; Category::rate_limited `too_many_idempotency_keys` for a key that is new, of a caller who has many.
  Async<bool> replay(sql::Transaction& transaction, Claim& claim, Time now, http::Response& response,
                     Place& place);
  /// Last thing in the command's transaction: keeps `response`.
  Async<void> keep(sql::Transaction& transaction, const Claim& claim, const Place& place, Time now,
                   const http::Response& response) const;
  /// Instead of keep(), when the command fails and its writes stay: only answers of success are kept.
  Async<void> forget(sql::Transaction& transaction, const Place& place) const;

 private:
  void release(const Uuid& id);
  Result<void> count(Claim& claim, Time now);
  Async<bool> take_place(sql::Transaction& transaction, const Claim& claim, Time now, Place& place) const;

  const IdempotencySettings settings_;
  const sql::Dialect dialect_;
  std::mutex mutex_;
  std::unordered_set<Uuid> running_;
  RateLimiter new_keys_;  ///< by user
};

}  // namespace bedplate::api
