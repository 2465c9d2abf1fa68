// SPDX-License-Identifier: Apache-2.0
// Idempotency keys: a caller that did not hear the outcome may call a command again, and it runs once
// (draft-ietf-httpapi-idempotency-key-header; the key of a job's call is the job's id).
//
// The first call with a key runs; its outcome is kept in the command's own transaction, so it is there exactly when the
// command's effect is. The same call again gets that outcome and runs nothing. Another input under the key is refused:
// Category::invalid `idempotency_key_reused`. A second one while the first still runs: Category::conflict
// `idempotency_key_in_use`. Keys belong to one principal and one operation, whichever surface the call came by.
//
// Which keys run is known to this process, and on PostgreSQL, which many processes share, to the database: an advisory
// lock of the transaction, which goes with it however it ends.
//
// Kept is the outcome: the output as JSON up to a size, or the error of a command that failed and kept its writes
// (refuse_and_commit()); never what a surface made of it. Of a larger output only the fact: asked again, it is
// Category::conflict `idempotency_answer_not_kept`, and still runs nothing. Of the input a keyed hash is kept (BLAKE2b
// under a salt of its own) of its canonical form: the JSON of its fields in the order of the description, so that
// spaces and the order of members make no difference. Records are kept for a time (section `idempotency`); each new
// one takes a few expired ones away, so the table does not grow with age and no call pays for many.
//
// One caller has at most `keys_max` records, about: half of that many keys at once, and as many again in the time that
// a record is kept. A new key beyond that is refused, Category::rate_limited `too_many_idempotency_keys`; keys that
// have a record are still answered from it. Each process counts by itself and from its start (docs/decisions/0006).
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
#include "bedplate/auth/principal.h"
#include "bedplate/base/embedded.h"
#include "bedplate/base/id.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/describe.h"
#include "bedplate/execution/rate_limit.h"
#include "bedplate/execution/settings.h"
#include "bedplate/sql/maintenance.h"

namespace bedplate::api {

/// The table of records: module "idempotency" of the program's migrations.
std::span<const EmbeddedFile> idempotency_migrations();

class Idempotency {
 public:
  /// One call under a key, while it runs. Releases the key when it goes.
  class Claim {
   public:
    Claim(Claim&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)),
          id_(other.id_),
          user_(other.user_),
          input_(std::move(other.input_)),
          counted_(other.counted_) {}
    Claim& operator=(Claim&&) = delete;
    ~Claim();

   private:
    friend class Idempotency;
    Claim(Idempotency& owner, const Uuid& id, const Uuid& user, std::string input)
        : owner_(&owner), id_(id), user_(user), input_(std::move(input)) {}
    Idempotency* owner_;
    Uuid id_;  // of principal, operation and key
    Uuid user_;
    std::string input_;     // in canonical form: what the hash is made of
    bool counted_ = false;  // among the user's new keys: a transaction may run more than once
  };

  /// What a command's transaction knows of its record.
  struct Record {
    std::string row;               ///< where it stands; empty on SQLite, where keep() makes it
    std::optional<Error> refused;  ///< the error that a replayed call had as its outcome
  };

  Idempotency(const IdempotencySettings& settings, sql::Dialect dialect);

  /// Takes the key for this process. A user who acts for two tenants has two sets of keys, and so has the system for
  /// two users. Category::malformed
  /// `invalid_idempotency_key`; Category::conflict `idempotency_key_in_use` while another call has it. `input` may be
  /// null, as may its type.
  Result<Claim> claim(std::string_view key, const auth::Principal& caller, std::string_view operation,
                      const TypeInfo* input_type, const void* input);

  /// First thing in the command's transaction. True: `output`, or `record.refused`, is the kept outcome, and nothing
  /// is to run. False: the command runs, and has a `record`. Category::conflict `idempotency_key_in_use` while another
  /// process runs the key; Category::rate_limited `too_many_idempotency_keys` for a key that is new, of a caller who
  /// has many.
  Async<bool> replay(sql::Transaction& transaction, Claim& claim, Time now, const TypeInfo* output_type,
                     void* output, Record& record);
  /// Last thing in the command's transaction: keeps `output`, or `refused` when it is not null.
  Async<void> keep(sql::Transaction& transaction, const Claim& claim, const Record& record, Time now,
                   const TypeInfo* output_type, const void* output, const Error* refused) const;

 private:
  void release(const Uuid& id);
  Result<void> count(Claim& claim, Time now);
  Async<bool> reserve(sql::Transaction& transaction, const Claim& claim, Time now, Record& record) const;

  const IdempotencySettings settings_;
  const sql::Dialect dialect_;
  std::mutex mutex_;
  std::unordered_set<Uuid> running_;
  RateLimiter new_keys_;  ///< by user
};

}  // namespace bedplate::api
