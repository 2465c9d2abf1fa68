// SPDX-License-Identifier: Apache-2.0
#include "services/identity/signing_keys.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "bedplate/base/log.h"

namespace bedplate::identity {

Async<bool> SigningKeys::refresh(sql::Database& db, Time now) {
  std::vector<SigningKeyRow> rows = co_await ok(db.read(&store::list_signing_keys));
  if (rotation_due(rows, now)) {
    co_await ok(db.transact(&SigningKeys::rotate, *this, now));
    rows = co_await ok(db.read(&store::list_signing_keys));
    log_info("signing keys rotated",
             {{"kid", rows.front().kid}, {"signs_from", to_rfc3339(rows.front().signs_from)}});
  }
  std::vector<auth::RingKey> keys;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Result<auth::SigningKey> key = unseal(rows[i]);
    if (!key) co_return std::unexpected(std::move(key.error()));
    keys.push_back({std::move(*key), rows[i].signs_from, verifies_until(rows, i)});
  }
  co_return ring_.replace(std::move(keys));
}

// Runs in the transaction, over rows as they are there: of two processes that find rotation due at once, the
// second finds it done.
Async<void> SigningKeys::rotate(sql::Transaction& tx, Time now) {
  std::vector<SigningKeyRow> rows = co_await ok(store::list_signing_keys(tx));
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (verifies_until(rows, i) <= now) co_await ok(store::delete_signing_key(tx, rows[i].kid));
  const bool first = rows.empty();
  if (!first && now < rows.front().signs_from + rotation_.age) co_return;
  SigningKeyRow row = make_row(first ? now : now + rotation_.published_ahead, now);
  co_await ok(store::insert_signing_key(tx, row));
}

bool SigningKeys::rotation_due(const std::vector<SigningKeyRow>& rows, Time now) const {
  if (rows.empty() || now >= rows.front().signs_from + rotation_.age) return true;
  return verifies_until(rows, rows.size() - 1) <= now;
}

/// A key's tokens end with the life of the last one that it signed, just before its successor took over.
Time SigningKeys::verifies_until(const std::vector<SigningKeyRow>& rows, std::size_t index) const {
  if (index == 0) return Time::max();
  return rows[index - 1].signs_from + rotation_.token_life;
}

SigningKeyRow SigningKeys::make_row(Time signs_from, Time now) const {
  auth::SigningKey key = auth::SigningKey::generate();
  auto seed = key.seed();
  SigningKeyRow row;
  row.kid = key.kid();
  row.sealed_seed = sealing_.seal({reinterpret_cast<const char*>(seed.data()), seed.size()});
  row.signs_from = signs_from;
  row.created_at = now;
  sodium_memzero(seed.data(), seed.size());
  return row;
}

Result<auth::SigningKey> SigningKeys::unseal(const SigningKeyRow& row) const {
  auto wrong = [this] {
    const std::string& file = sealing_.file();
    return fail(
        Category::internal, "wrong_key_file",
        "The signing keys in the database were sealed with another key file than " +
            (file.empty() ? "this one" : file) +
            ". Put that one there, or name it with identity.key_file: it is the identity.key of the data "
            "directory in which this database was served before, and not in backups. If it is lost, back the "
            "database up and restore that backup: this makes new keys and ends all sessions.");
  };
  auto secret = sealing_.unseal(row.sealed_seed);
  auth::SigningKey::Seed seed;
  if (!secret || secret->size() != seed.size()) return wrong();
  std::memcpy(seed.data(), secret->data(), seed.size());
  sodium_memzero(secret->data(), secret->size());
  auth::SigningKey key(seed);
  sodium_memzero(seed.data(), seed.size());
  if (key.kid() != row.kid) return wrong();
  return key;
}

}  // namespace bedplate::identity
