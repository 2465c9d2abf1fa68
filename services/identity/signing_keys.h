// SPDX-License-Identifier: Apache-2.0
// The signing keys of access tokens: kept in the database so that a fleet shares them, sealed there with a
// key that is not in the database, and replaced by age.
//
//   auth::SealingKey sealing = *auth::SealingKey::load_or_make("/var/lib/notes/identity.key");
//   SigningKeys keys(sealing, ring, rotation_settings);
//   co_await ok(keys.refresh(db, clock.now()));       // at start, then about every minute
//
// A database that leaks (a backup, a replica) does not leak keys. Losing the key file costs no data: delete
// the rows of identity_signing_keys, and everybody refreshes once.
#pragma once

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include "bedplate/async/async.h"
#include "bedplate/auth/key_ring.h"
#include "bedplate/auth/sealing_key.h"
#include "bedplate/base/result.h"
#include "bedplate/base/time.h"
#include "bedplate/sql/database.h"
#include "services/identity/store.h"

namespace bedplate::identity {

struct KeyRotation {
  /// A key of this age gets a successor.
  std::chrono::seconds age{90 * 86'400};
  /// The successor is published this long before it signs, so that every process and every client has it by
  /// then.
  std::chrono::seconds published_ahead{3600};
  /// How long a token may outlive the moment its key stopped signing: its life, and a little for clocks.
  std::chrono::seconds token_life{660};
};

/// Keeps a key ring in step with the database. One at a time: refresh() is not called again before it has
/// ended.
class SigningKeys {
 public:
  SigningKeys(auth::SealingKey sealing, auth::KeyRing& ring, KeyRotation rotation)
      : sealing_(std::move(sealing)), ring_(ring), rotation_(rotation) {}

  /// Makes the first key or a successor when it is time, drops keys that verify nothing any more, and puts
  /// the rest in the ring. True: a key has left the ring. Category::internal `wrong_key_file` when a key
  /// cannot be unsealed.
  Async<bool> refresh(sql::Database& db, Time now);

 private:
  /// The state wanted at `now`: one transaction, and only when something is to be done.
  Async<void> rotate(sql::Transaction& tx, Time now);
  bool rotation_due(const std::vector<SigningKeyRow>& rows, Time now) const;
  Time verifies_until(const std::vector<SigningKeyRow>& rows, std::size_t index) const;
  SigningKeyRow make_row(Time signs_from, Time now) const;
  Result<auth::SigningKey> unseal(const SigningKeyRow& row) const;

  const auth::SealingKey sealing_;
  auth::KeyRing& ring_;
  const KeyRotation rotation_;
};

}  // namespace bedplate::identity
