// SPDX-License-Identifier: Apache-2.0
// Renewing the tokens of a session. Refresh tokens form a chain: using one makes one successor, never a second.
//
// A client may send a token twice for good reasons: two tabs, several requests at once, an answer that was lost. A
// thief does it too. So a used token is answered again, with the same successor, only while that successor was never
// used and for kRepeatedFor; a client whose successor was used already is told so for kSupersededFor; everything else
// is theft, and ends the session.
#include <tuple>
#include <utility>

#include "bedplate/base/log.h"
#include "services/identity/refresh_token.h"
#include "services/identity/service.h"

namespace bedplate::identity {
namespace {

using std::chrono::seconds;

/// Used refresh tokens are kept this long, to recognise their reuse.
constexpr seconds kUsedTokensKept{7 * 86'400};
/// How long after its first use a token is answered again: a client's time-outs and its next attempts.
constexpr seconds kRepeatedFor{60};
/// How long after its first use a token whose successor was used does no harm: requests that were on their way.
constexpr seconds kSupersededFor{10};

}  // namespace

Async<Grant> Identity::refresh(const api::Caller& caller, sql::Database& db, const Refresh& input) {
  const Time now = clock_.now();
  const std::string token_hash = hash_of_refresh_token(input.refresh_token);
  NewSession next = new_session(UserId(), caller, now);
  const std::string sealed = sealing_.seal(next.refresh_token);
  Result<Renewal> renewal = co_await db.transact(&Identity::rotate, *this, token_hash, next, sealed);
  if (!renewal) {
    if (renewal.error().code() == kRefreshTokenSuperseded.code) ++numbers_.refresh_tokens_superseded;
    if (renewal.error().keeps_writes()) {
      ++numbers_.refresh_tokens_reused;
      log_warn("refresh token used twice: its session was ended",
               {{"session", next.row.id.to_string()}, {"request_id", caller.request_id}});
      std::ignore = co_await revocation_feed_.apply(db);
    }
    co_return std::unexpected(std::move(renewal.error()));
  }
  const bool repeated = !renewal->earlier_successor.empty();
  if (repeated) ++numbers_.refreshes_repeated;
  std::string& token = repeated ? renewal->earlier_successor : next.refresh_token;
  co_return grant(renewal->user, next.row.id, std::move(token), now);
}

/// Fills in `next` whose session it is. It may run again from the start: nothing here depends on the run
/// before.
Async<Identity::Renewal> Identity::rotate(sql::Transaction& tx, const std::string& token_hash,
                                          NewSession& next, const std::string& sealed) {
  const Time now = next.row.last_used_at;
  std::optional<RefreshRow> token = co_await ok(store::find_refresh_token(tx, token_hash));
  if (!token || token->expires_at <= now) co_return api::fail(kInvalidRefreshToken);
  next.row.id = token->session_id;
  next.row.user_id = token->user_id;
  Renewal renewal;
  std::optional<UserRow> user = co_await ok(store::find_user(tx, token->user_id));
  if (!user || user->disabled_at) co_return api::fail(kInvalidRefreshToken);
  renewal.user = std::move(*user);
  if (!token->used_at) {
    // The session's row first: it keeps apart what happens to one session at the same time, at any isolation.
    bool there = co_await ok(store::touch_session(tx, next.row));
    if (!there) co_return api::fail(kInvalidRefreshToken);
    bool first = co_await ok(store::use_refresh_token(tx, token_hash, now));
    if (first) {
      co_await ok(store::prune_refresh_tokens(tx, token->session_id, now - kUsedTokensKept));
      NewRefreshToken successor;
      successor.token_hash = next.refresh_token_hash;
      successor.session_id = token->session_id;
      successor.issued_at = now;
      successor.parent_hash = token_hash;
      successor.sealed_token = sealed;
      co_await ok(store::insert_refresh_token(tx, successor));
      co_return renewal;
    }
    token = co_await ok(store::find_refresh_token(tx, token_hash));
    if (!token || !token->used_at) co_return api::fail(kInvalidRefreshToken);
  }
  renewal.earlier_successor = co_await ok(repeat(tx, token_hash, *token, now));
  co_return renewal;
}

/// The successor of a token that was used before, if it may be answered again.
Async<std::string> Identity::repeat(sql::Transaction& tx, const std::string& token_hash,
                                    const RefreshRow& token, Time now) {
  const Time::duration since_first_use = now - *token.used_at;
  std::optional<NewestRefreshRow> newest =
      co_await ok(store::find_newest_refresh_token(tx, token.session_id));
  const bool successor_unused = newest && newest->parent_hash == token_hash;
  if (successor_unused && since_first_use < kRepeatedFor && newest->sealed_token) {
    std::optional<std::string> successor = sealing_.unseal(*newest->sealed_token);
    if (successor && hash_of_refresh_token(*successor) == newest->token_hash) co_return std::move(*successor);
  }
  if (newest && !successor_unused && since_first_use < kSupersededFor)
    co_return api::fail(kRefreshTokenSuperseded);
  co_await ok(store::end_session(tx, token.session_id, tokens_until(now)));
  co_return refuse_and_commit(std::move(api::fail(kInvalidRefreshToken).error()));
}

Async<void> Identity::forget_sealed_tokens(sql::Database& db) {
  const Time before = clock_.now() - kRepeatedFor;
  for (std::int64_t forgotten = 1; forgotten > 0;)
    forgotten = co_await ok(db.transact(&store::forget_sealed_tokens, before));
}

}  // namespace bedplate::identity
