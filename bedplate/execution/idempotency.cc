// SPDX-License-Identifier: Apache-2.0
#include "bedplate/execution/idempotency.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "api_migrations.h"
#include "bedplate/base/random.h"
#include "bedplate/base/text.h"
#include "bedplate/describe/describe.h"
#include "bedplate/sql/session.h"

namespace bedplate::api {
namespace {

constexpr std::size_t kKeySizeMax = 128;
constexpr std::size_t kUsersMax = 65'536;  // whose keys are counted at once; 16 bytes each

// At once and again over the time that a record is kept: so there are never more than both.
RateLimit new_keys_of(const IdempotencySettings& settings) {
  const std::int64_t half = std::max<std::int64_t>(1, settings.keys_max / 2);
  return {.rate = static_cast<double>(half) / static_cast<double>(settings.ttl_seconds), .burst = half};
}

constexpr std::string_view kFindAnswer =
    "SELECT salt, request_hash, status, location, etag, body FROM api_idempotency WHERE id = $1 AND "
    "expires_at > $2";
// An expired record of the same key is replaced.
constexpr std::string_view kKeepAnswer =
    "INSERT INTO api_idempotency (id, salt, request_hash, status, location, etag, body, expires_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
    "ON CONFLICT (id) DO UPDATE SET salt = excluded.salt, request_hash = excluded.request_hash, "
    "status = excluded.status, location = excluded.location, etag = excluded.etag, body = excluded.body, "
    "expires_at = excluded.expires_at";
// More than one for each one kept, so that the expired ones run out. On PostgreSQL commands run at the same time, and
// two that clean up in the same place get in each other's way: so seldom, many at once, and never those of another.
constexpr std::string_view kPurge =
    "DELETE FROM api_idempotency WHERE id IN (SELECT id FROM api_idempotency WHERE expires_at <= $1 LIMIT 3)";
constexpr std::string_view kPurgeMany =
    "DELETE FROM api_idempotency WHERE id IN (SELECT id FROM api_idempotency WHERE expires_at <= $1 LIMIT 96 "
    "FOR UPDATE SKIP LOCKED)";
constexpr std::uint64_t kPurgeManyEvery = 32;

// On PostgreSQL the record is made first, without its answer, and filled at the end, through its place in the table.
// Looking for it first would do as well, but serializable transactions that look for a row in an index page and then
// write into that page get in each other's way: of eight clients a quarter had to run again, of a young table.
constexpr std::string_view kTakePlace =
    "INSERT INTO api_idempotency (id, salt, request_hash, status, location, etag, body, expires_at) "
    "VALUES ($1, $1, $1, 0, '', '', NULL, $2) ON CONFLICT (id) DO NOTHING RETURNING ctid::text";
constexpr std::string_view kDropExpired = "DELETE FROM api_idempotency WHERE id = $1 AND expires_at <= $2";
constexpr std::string_view kFillPlace =
    "UPDATE api_idempotency SET salt = $2, request_hash = $3, status = $4, location = $5, etag = $6, body = "
    "$7 "
    "WHERE ctid = $1::tid";
constexpr std::string_view kDropPlace = "DELETE FROM api_idempotency WHERE ctid = $1::tid";

struct KeptAnswer {
  Uuid salt;
  Uuid request_hash;
  std::int64_t status = 0;
  std::string location;
  std::string etag;
  std::optional<std::string> body;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<KeptAnswer>("An answer kept for a replay", {
                                                                 field<&KeptAnswer::salt>(),
                                                                 field<&KeptAnswer::request_hash>(),
                                                                 field<&KeptAnswer::status>(),
                                                                 field<&KeptAnswer::location>(),
                                                                 field<&KeptAnswer::etag>(),
                                                                 field<&KeptAnswer::body>(),
                                                             });
  }
};

/// BLAKE2b to 128 bits, under `salt` when there is one.
Uuid hash128(std::string_view bytes, const Uuid* salt) {
  Uuid hash;
  crypto_generichash(hash.bytes.data(), hash.bytes.size(),
                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                     salt ? salt->bytes.data() : nullptr, salt ? salt->bytes.size() : 0);
  return hash;
}

Error key_in_use() {
  return Error(Category::conflict, "idempotency_key_in_use",
               "A request with this Idempotency-Key is still running.")
      .with_retry_after(std::chrono::seconds(1));
}

/// Joins parts so that no two lists of parts give the same text.
void append_part(std::string& out, std::string_view part) {
  out += std::to_string(part.size());
  out += ':';
  out += part;
}

std::string_view without_quotes(std::string_view key) {
  if (key.size() >= 2 && key.front() == '"' && key.back() == '"') return key.substr(1, key.size() - 2);
  return key;
}

bool is_key(std::string_view key) {
  return !key.empty() && key.size() <= kKeySizeMax &&
         std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

std::span<const EmbeddedFile> idempotency_migrations() {
  return api_migrations();
}

Idempotency::Idempotency(const IdempotencySettings& settings, sql::Dialect dialect)
    : settings_(settings), dialect_(dialect), new_keys_(new_keys_of(settings), kUsersMax) {}

Idempotency::Claim::~Claim() {
  if (owner_) owner_->release(id_);
}

void Idempotency::release(const Uuid& id) {
  std::lock_guard lock(mutex_);
  running_.erase(id);
}

Result<Idempotency::Claim> Idempotency::claim(std::string_view key, const IdempotencyOwner& owner,
                                              std::string_view operation, std::string_view path,
                                              std::string_view query, std::string_view body) {
  key = without_quotes(key);
  if (!is_key(key))
    return bedplate::fail(Category::malformed, "invalid_idempotency_key",
                          "The Idempotency-Key is 1 to 128 visible ASCII characters.");
  std::string name;
  append_part(name, owner.user.to_string());
  if (owner.tenant) append_part(name, owner.tenant->to_string());
  append_part(name, operation);
  append_part(name, key);
  Uuid id = hash128(name, nullptr);
  {
    std::lock_guard lock(mutex_);
    if (!running_.insert(id).second) return std::unexpected(key_in_use());
  }
  std::string request;
  request.reserve(body.size() + path.size() + query.size() + 64);
  append_part(request, path);
  append_part(request, query);
  append_part(request, body);
  return Claim(*this, id, owner.user, std::move(request));
}

// True: the key is new. False: it has a record, which is good.
Async<bool> Idempotency::take_place(sql::Transaction& transaction, const Claim& claim, Time now,
                                    Place& place) const {
  std::int64_t number;
  std::memcpy(&number, claim.id_.bytes.data(), sizeof number);
  const bool free = co_await ok(transaction.value<bool>("SELECT pg_try_advisory_xact_lock($1)", number));
  if (!free) co_await std::unexpected(key_in_use());
  const Time expires_at = now + std::chrono::seconds(settings_.ttl_seconds);
  for (int attempt = 0; attempt < 2; ++attempt) {
    std::optional<std::string> row =
        co_await ok(transaction.maybe<std::string>(kTakePlace, claim.id_, expires_at));
    if (row) {
      place.row = std::move(*row);
      co_return true;
    }
    const std::int64_t expired = co_await ok(transaction.run(kDropExpired, claim.id_, now));
    if (expired == 0) break;
  }
  co_return false;
}

// By the clock that records end by.
Result<void> Idempotency::count(Claim& claim, Time now) {
  if (claim.counted_) return {};
  const std::int64_t now_ns = std::chrono::nanoseconds(now.time_since_epoch()).count();
  const RateDecision taken = new_keys_.take(rate_key_of(claim.user_), 1, now_ns);
  claim.counted_ = taken.allowed;
  if (taken.allowed) return {};
  return std::unexpected(Error(Category::rate_limited, "too_many_idempotency_keys",
                               "Too many requests with an Idempotency-Key are remembered for this caller.")
                             .with_retry_after(std::chrono::seconds(taken.retry_after_seconds)));
}

Async<bool> Idempotency::replay(sql::Transaction& transaction, Claim& claim, Time now,
                                http::Response& response, Place& place) {
  bool is_new = false;
  if (dialect_ == sql::Dialect::postgresql) is_new = co_await ok(take_place(transaction, claim, now, place));
  std::optional<KeptAnswer> kept;
  if (!is_new) kept = co_await ok(transaction.maybe<KeptAnswer>(kFindAnswer, claim.id_, now));
  if (!kept) {
    co_await ok(count(claim, now));
    co_return false;
  }
  if (hash128(claim.request_, &kept->salt) != kept->request_hash)
    co_await bedplate::fail(
        Category::invalid, "idempotency_key_reused",
        "This Idempotency-Key was used for another request; use a new key for a new request.");
  if (!kept->body)
    co_await bedplate::fail(
        Category::conflict, "idempotency_answer_not_kept",
        "This request ran before; its answer was too large to keep. Read the result instead.");
  response.set_status(static_cast<int>(kept->status));
  response.set_field("Idempotency-Replayed", "true");
  if (!kept->location.empty()) response.set_field(http::FieldId::location, kept->location);
  if (!kept->etag.empty()) response.set_field(http::FieldId::etag, kept->etag);
  response.body().clear();
  response.body().append(*kept->body);
  if (!kept->body->empty()) response.set_field(http::FieldId::content_type, "application/json");
  co_return true;
}

Async<void> Idempotency::keep(sql::Transaction& transaction, const Claim& claim, const Place& place, Time now,
                              const http::Response& response) const {
  const Uuid salt = new_uuid();
  const Uuid hash = hash128(claim.request_, &salt);
  std::optional<std::string_view> body;
  if (response.body().size() <= static_cast<std::size_t>(settings_.answer_size_max))
    body = response.body().view();
  const std::int64_t status = response.status();
  const std::string_view location = response.field(http::FieldId::location);
  const std::string_view etag = response.field(http::FieldId::etag);
  if (!place.row.empty()) {
    if (random_u64() % kPurgeManyEvery == 0) co_await ok(transaction.run(kPurgeMany, now));
    co_await ok(transaction.run(kFillPlace, place.row, salt, hash, status, location, etag, body));
    co_return;
  }
  co_await ok(transaction.run(kPurge, now));
  const Time expires_at = now + std::chrono::seconds(settings_.ttl_seconds);
  co_await ok(transaction.run(kKeepAnswer, claim.id_, salt, hash, status, location, etag, body, expires_at));
}

Async<void> Idempotency::forget(sql::Transaction& transaction, const Place& place) const {
  if (!place.row.empty()) co_await ok(transaction.run(kDropPlace, place.row));
}

}  // namespace bedplate::api
