// SPDX-License-Identifier: Apache-2.0
#include "services/identity/api.h"

#include "bedplate/surfaces/rest/route.h"
#include "services/identity/service.h"

namespace bedplate::identity {

using namespace bedplate::api;

namespace {

/// Bytes: every field at its longest, each character escaped, is less.
constexpr std::size_t kStrangersBodyMax = 16 * 1024;

Api add_sessions(Api api) {
  return std::move(api)
      .procedure<&Identity::sign_up>(
          "sign_up", post("/v1/auth/signup"), open_to_all(), body_at_most(kStrangersBodyMax),
          creates("/v1/me"), issues_secrets(), summary("Sign up"),
          fails_with(kEmailTaken, kPasswordLength, kPasswordKnown, kTooManyAttempts, kStarting),
          doc("Makes an account and logs it in. The password is never kept, only an argon2id hash of it. An "
              "Idempotency-Key is not looked at: an answer with tokens is never stored."))
      .procedure<&Identity::log_in>(
          "log_in", post("/v1/auth/login"), open_to_all(), body_at_most(kStrangersBodyMax), issues_secrets(),
          logs_in<&Grant::access_token>(), summary("Log in"),
          fails_with(kInvalidCredentials, kAccountDisabled, kTooManyAttempts, kStarting),
          doc("Starts a session. A wrong password and an unknown address get the same answer, after the same "
              "work. "
              "After several wrong ones each further attempt must wait longer (`Retry-After`). An "
              "Idempotency-Key is "
              "not looked at."))
      .procedure<&Identity::refresh>(
          "refresh", post("/v1/auth/refresh"), open_to_all(), body_at_most(kStrangersBodyMax),
          issues_secrets(), summary("Renew the tokens of a session"),
          fails_with(kInvalidRefreshToken, kRefreshTokenSuperseded, kStarting),
          doc("Takes the newest refresh token and answers new tokens. When the answer is lost, send the same "
              "token again within a minute: as long as the new refresh token has not been used, the answer "
              "holds the same one and a new access token. So do the answers to several requests at once. "
              "When "
              "the new one was used already, a request that comes within ten seconds of the first is "
              "answered "
              "`refresh_token_superseded`: keep the tokens that the other request got, the session goes on. "
              "Any other reuse means that somebody else has a copy, and ends the session."))
      .procedure<&Identity::log_out>("log_out", post("/v1/auth/logout"), needs(kAccountScope),
                                     summary("Log out"),
                                     doc("Ends this session. Its tokens are refused at once."))
      .query<&Identity::sessions>("sessions", get("/v1/me/sessions"), needs(kAccountScope),
                                  summary("Where I am logged in"))
      .procedure<&Identity::end_session>("end_session", del("/v1/me/sessions/{id}"), needs(kAccountScope),
                                         summary("End one of my sessions"), fails_with(kSessionNotFound))
      .procedure<&Identity::end_other_sessions>("end_other_sessions", del("/v1/me/sessions"),
                                                needs(kAccountScope),
                                                summary("End all my sessions but this one"));
}

}  // namespace

Api identity_api() {
  return add_sessions(Api("identity", "Accounts, sessions and tokens"))
      .query<&Identity::me>("me", get("/v1/me"), needs(kAccountScope), summary("My account"),
                            fails_with(kUserNotFound), etag_from<&UserView::version>())
      .command<&Identity::update_me>("update_me", patch("/v1/me"), needs(kAccountScope),
                                     summary("Change my account"), fails_with(kUserNotFound),
                                     read_committed(), etag_from<&UserView::version>(),
                                     if_match_into<&UpdateMe::if_match>())
      .procedure<&Identity::change_password>(
          "change_password", post("/v1/me/password"), needs(kAccountScope), summary("Change my password"),
          fails_with(kUserNotFound, kWrongPassword, kPasswordLength, kPasswordKnown, kTooManyAttempts),
          doc("Ends all other sessions."))
      .procedure<&Identity::delete_me>(
          "delete_me", post("/v1/me/delete"), needs(kAccountScope), summary("Delete my account"),
          fails_with(kUserNotFound, kWrongPassword, kTooManyAttempts),
          doc("Deletes the account and everything that belongs to it, at once and for good."))
      .pure<&Identity::signing_keys>("signing_keys", get("/.well-known/jwks.json"), open_to_all(),
                                     cache_control("public, max-age=300"), any_query(),
                                     summary("Public keys of access tokens"),
                                     doc("A JWK Set (RFC 7517). A key stands here an hour before it signs, "
                                         "and until its last token has expired."));
}

Api identity_api(Identity& identity) {
  Api api = identity_api();
  api.bind(identity);
  return api;
}

}  // namespace bedplate::identity
