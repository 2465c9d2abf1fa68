// SPDX-License-Identifier: Apache-2.0
#include "bedplate/execution/idempotency.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "bedplate/base/random.h"
#include "bedplate/base/text.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/sql/session.h"
#include "idempotency_files.h"

namespace bedplate::api {
namespace {

constexpr std::size_t kKeySizeMax = 128;
constexpr std::size_t kUsersMax = 65'536;  // whose keys are counted at once; 16 bytes each

// At once and again over the time that a record is kept: so there are never more than both.
RateLimit new_keys_of(const IdempotencySettings& settings) {
  const std::int64_t half = std::max<std::int64_t>(1, settings.keys_max / 2);
  return {.rate = static_cast<double>(half) / static_cast<double>(settings.ttl_seconds), .burst = half};
}

constexpr std::string_view kFindOutcome =
    "SELECT salt, input_hash, refused, outcome FROM idempotency_keys WHERE id = $1 AND expires_at > $2";
// An expired record of the same key is replaced.
constexpr std::string_view kKeepOutcome =
    "INSERT INTO idempotency_keys (id, salt, input_hash, refused, outcome, expires_at) "
    "VALUES ($1, $2, $3, $4, $5, $6) "
    "ON CONFLICT (id) DO UPDATE SET salt = excluded.salt, input_hash = excluded.input_hash, "
    "refused = excluded.refused, outcome = excluded.outcome, expires_at = excluded.expires_at";
// More than one for each one kept, so that the expired ones run out. On PostgreSQL commands run at the same time, and
// two that clean up in the same place get in each other's way: so seldom, many at once, and never those of another.
constexpr std::string_view kPurge =
    "DELETE FROM idempotency_keys WHERE id IN (SELECT id FROM idempotency_keys WHERE expires_at <= $1 LIMIT "
    "3)";
constexpr std::string_view kPurgeMany =
    "DELETE FROM idempotency_keys WHERE id IN (SELECT id FROM idempotency_keys WHERE expires_at <= $1 LIMIT "
    "96 "
    "FOR UPDATE SKIP LOCKED)";
constexpr std::uint64_t kPurgeManyEvery = 32;

// On PostgreSQL the record is made first, without its outcome, and filled at the end, through its row's place. Looking
// for it first would do as well, but serializable transactions that look for a row in an index page and then write into
// that page get in each other's way: of eight clients a quarter had to run again, of a young table.
constexpr std::string_view kReserve =
    "INSERT INTO idempotency_keys (id, salt, input_hash, refused, outcome, expires_at) "
    "VALUES ($1, $1, $1, FALSE, NULL, $2) ON CONFLICT (id) DO NOTHING RETURNING ctid::text";
constexpr std::string_view kDropExpired = "DELETE FROM idempotency_keys WHERE id = $1 AND expires_at <= $2";
constexpr std::string_view kFill =
    "UPDATE idempotency_keys SET salt = $2, input_hash = $3, refused = $4, outcome = $5 WHERE ctid = $1::tid";

struct KeptOutcome {
  Uuid salt;
  Uuid input_hash;
  bool refused = false;
  std::optional<std::string> outcome;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<KeptOutcome>("An outcome kept for a replay",
                               {field<&KeptOutcome::salt>(), field<&KeptOutcome::input_hash>(),
                                field<&KeptOutcome::refused>(), field<&KeptOutcome::outcome>()});
  }
};

/// The error of a command that kept its writes. Its category by its HTTP status, which tells all of them apart.
struct KeptError {
  std::int64_t status = 0;
  std::string code;
  std::string detail;
  std::string subject;
  std::int64_t retry_after_seconds = 0;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<KeptError>(
        "An error kept for a replay",
        {field<&KeptError::status>(), field<&KeptError::code>(), field<&KeptError::detail>(),
         field<&KeptError::subject>(), field<&KeptError::retry_after_seconds>()});
  }
};

JsonLimits as_stored() {
  JsonLimits limits;
  limits.view = View::stored;
  return limits;
}

std::string error_text(const Error& error) {
  KeptError kept;
  kept.status = http_status(error.category());
  kept.code = error.code();
  kept.detail = error.detail();
  kept.subject = error.subject();
  kept.retry_after_seconds = error.retry_after().count();
  return to_json(kept, View::stored);
}

std::optional<Error> error_of(std::string_view text) {
  Result<KeptError> kept = from_json<KeptError>(text, as_stored());
  if (!kept) return std::nullopt;
  Category category = Category::conflict;
  for (auto candidate = Category::malformed; candidate < Category::cancelled;
       candidate = static_cast<Category>(static_cast<int>(candidate) + 1))
    if (http_status(candidate) == kept->status) category = candidate;
  Error error(category, kept->code, std::move(kept->detail));
  return std::move(error)
      .with_subject(std::move(kept->subject))
      .with_retry_after(std::chrono::seconds(kept->retry_after_seconds));
}

/// Nothing: what it holds cannot be read back, or is larger than `size_max`.
std::optional<std::string> output_text(const TypeInfo* type, const void* output, std::int64_t size_max) {
  std::string text;
  if (type && !append_json(text, *type, output, View::stored)) return std::nullopt;
  if (static_cast<std::int64_t>(text.size()) > size_max) return std::nullopt;
  return text;
}

bool read_output(std::string_view text, const TypeInfo* type, void* output) {
  if (!type) return true;
  Faults faults;
  return read_json(text, *type, output, faults, as_stored()) && faults.empty();
}

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
  return idempotency_files();
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

Result<Idempotency::Claim> Idempotency::claim(std::string_view key, const auth::Principal& caller,
                                              std::string_view operation, const TypeInfo* input_type,
                                              const void* input) {
  key = without_quotes(key);
  if (!is_key(key))
    return bedplate::fail(Category::malformed, "invalid_idempotency_key",
                          "The Idempotency-Key is 1 to 128 visible ASCII characters.");
  std::string name;
  append_part(name, auth::kind_name(caller.kind));
  append_part(name, caller.user.to_string());
  // The system has one id, whoever it acts for.
  if (caller.act) append_part(name, caller.act->to_string());
  if (caller.tenant) append_part(name, caller.tenant->to_string());
  append_part(name, operation);
  append_part(name, key);
  Uuid id = hash128(name, nullptr);
  {
    std::lock_guard lock(mutex_);
    if (!running_.insert(id).second) return std::unexpected(key_in_use());
  }
  std::string canonical;
  // What has no JSON form (NaN) is null there: such inputs differ from others all the same in what surfaces accept.
  if (input_type) append_json(canonical, *input_type, input, View::stored);
  return Claim(*this, id, caller.user, std::move(canonical));
}

// True: the key is new. False: it has a record, which is good.
Async<bool> Idempotency::reserve(sql::Transaction& transaction, const Claim& claim, Time now,
                                 Record& record) const {
  std::int64_t number;
  std::memcpy(&number, claim.id_.bytes.data(), sizeof number);
  const bool free = co_await ok(transaction.value<bool>("SELECT pg_try_advisory_xact_lock($1)", number));
  if (!free) co_await std::unexpected(key_in_use());
  const Time expires_at = now + std::chrono::seconds(settings_.ttl_seconds);
  for (int attempt = 0; attempt < 2; ++attempt) {
    std::optional<std::string> row =
        co_await ok(transaction.maybe<std::string>(kReserve, claim.id_, expires_at));
    if (row) {
      record.row = std::move(*row);
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
                                const TypeInfo* output_type, void* output, Record& record) {
  bool is_new = false;
  if (dialect_ == sql::Dialect::postgresql) is_new = co_await ok(reserve(transaction, claim, now, record));
  std::optional<KeptOutcome> kept;
  if (!is_new) kept = co_await ok(transaction.maybe<KeptOutcome>(kFindOutcome, claim.id_, now));
  if (!kept) {
    co_await ok(count(claim, now));
    co_return false;
  }
  if (hash128(claim.input_, &kept->salt) != kept->input_hash)
    co_await bedplate::fail(
        Category::invalid, "idempotency_key_reused",
        "This Idempotency-Key was used for another request; use a new key for a new request.");
  if (kept->outcome && kept->refused) record.refused = error_of(*kept->outcome);
  const bool readable = kept->outcome && (kept->refused ? record.refused.has_value()
                                                        : read_output(*kept->outcome, output_type, output));
  if (!readable)
    co_await bedplate::fail(
        Category::conflict, "idempotency_answer_not_kept",
        "This request ran before; its answer was too large to keep. Read the result instead.");
  co_return true;
}

Async<void> Idempotency::keep(sql::Transaction& transaction, const Claim& claim, const Record& record,
                              Time now, const TypeInfo* output_type, const void* output,
                              const Error* refused) const {
  const Uuid salt = new_uuid();
  const Uuid hash = hash128(claim.input_, &salt);
  const std::optional<std::string> outcome =
      refused ? error_text(*refused) : output_text(output_type, output, settings_.answer_size_max);
  const bool is_refused = refused != nullptr;
  if (!record.row.empty()) {
    if (random_u64() % kPurgeManyEvery == 0) co_await ok(transaction.run(kPurgeMany, now));
    co_await ok(transaction.run(kFill, record.row, salt, hash, is_refused, outcome));
    co_return;
  }
  co_await ok(transaction.run(kPurge, now));
  const Time expires_at = now + std::chrono::seconds(settings_.ttl_seconds);
  co_await ok(transaction.run(kKeepOutcome, claim.id_, salt, hash, is_refused, outcome, expires_at));
}

}  // namespace bedplate::api
