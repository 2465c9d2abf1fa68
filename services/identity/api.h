// SPDX-License-Identifier: Apache-2.0
// Identity, as the outside sees it: signing up, logging in and out, sessions, one's own account.
//
//   auto identity = identity_api(service);      // an api::Api to serve
//
// Other services include this header and nothing else of identity. What they need most is elsewhere: an
// operation's Caller names the user, and its needs("tasks:read") is checked before it runs. A service that
// keeps rows of a user says so with a UserDataOwner.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bedplate/auth/jwks.h"
#include "bedplate/auth/password_text.h"
#include "bedplate/auth/principal.h"
#include "bedplate/auth/user_data.h"
#include "bedplate/base/time.h"
#include "bedplate/describe/describe.h"
#include "bedplate/operations/api.h"
#include "bedplate/operations/input.h"
#include "services/identity/email.h"

namespace bedplate::sql {
class Transaction;
}

namespace bedplate::identity {

using auth::SessionId;
using auth::UserId;

/// The scope of everything that people do with their own account.
inline constexpr std::string_view kAccountScope = "account";
inline constexpr std::string_view kAdminScope = "admin";

inline constexpr api::ErrorCode kInvalidCredentials{Category::unauthenticated, "invalid_credentials",
                                                    "The e-mail address or the password is wrong."};
inline constexpr api::ErrorCode kAccountDisabled{Category::forbidden, "account_disabled",
                                                 "This account has been disabled by an administrator."};
inline constexpr api::ErrorCode kEmailTaken{Category::conflict, "email_taken",
                                            "There is an account with this e-mail address already."};
inline constexpr api::ErrorCode kInvalidRefreshToken{Category::unauthenticated, "invalid_refresh_token",
                                                     "The refresh token is not valid. Log in again."};
inline constexpr api::ErrorCode kRefreshTokenSuperseded{
    Category::unauthenticated, "refresh_token_superseded",
    "Another request has just renewed this session and used the new tokens. Use those; the session goes on."};
inline constexpr api::ErrorCode kWrongPassword{Category::forbidden, "wrong_password",
                                               "The password is wrong."};
inline constexpr api::ErrorCode kPasswordLength{
    Category::invalid, "password_length",
    "A new password has at least identity.password_length_min characters, and at most 128."};
inline constexpr api::ErrorCode kPasswordKnown{Category::invalid, "password_known",
                                               "This password is too common. Choose another."};
inline constexpr api::ErrorCode kSessionNotFound{Category::not_found, "session_not_found",
                                                 "There is no such session."};
inline constexpr api::ErrorCode kTooManyAttempts{Category::rate_limited, "too_many_attempts",
                                                 "Too many attempts. Wait before the next one."};
inline constexpr api::ErrorCode kStarting{Category::unavailable, "starting",
                                          "The server is starting. Try again in a moment."};
inline constexpr api::ErrorCode kUserNotFound{Category::not_found, "user_not_found",
                                              "There is no such user."};

/// A user, as the user may see it.
struct UserView {
  UserId id;
  std::string email;
  std::optional<std::string> name;
  std::vector<std::string> roles;
  Time created_at{};
  Time updated_at{};
  std::int64_t version = 0;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<UserView>(
        "A user account",
        {
            field<&UserView::id>(read_only, "Set by the server"),
            field<&UserView::email>(
                read_only, length{3, 254}, format::email, example("ada@example.com"),
                "Unique; set at sign-up; its letters are kept as they were typed and compared "
                "without case, its domain is in A-labels (`xn--...`)"),
            field<&UserView::name>(length{1, 200}, not_blank, example("Ada Lovelace"),
                                   "What to call the user"),
            field<&UserView::roles>(read_only, "Roles; they decide the scopes of access tokens"),
            field<&UserView::created_at>(read_only, "When the account was made"),
            field<&UserView::updated_at>(read_only, "When it was last changed"),
            omit<&UserView::version>,
        });
  }
};

struct SignUp {
  std::string email;
  std::string password;
  std::optional<std::string> name;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<SignUp>(
        "A new account",
        {
            field<&SignUp::email>(length{3, kEmailTypedMax}, check<&check_email>, example("ada@example.com"),
                                  "An e-mail address; space around it is taken away, a "
                                  "domain outside ASCII becomes A-labels"),
            field<&SignUp::password>(
                length{auth::kPasswordLengthMin, auth::kPasswordTypedMax}, check<&auth::check_password>,
                write_only, secret, example("correct horse battery staple"),
                "At least 15 characters (or what the operator has set: `password_length`), "
                "at most 128, of any kind but control characters. Counted and compared "
                "after normalization (RFC 8265, OpaqueString)"),
            field<&SignUp::name>(same_as<&UserView::name>),
        });
  }
};

struct LogIn {
  std::string email;
  std::string password;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<LogIn>(
        "Who wants to log in",
        {
            field<&LogIn::email>(length{1, kEmailTypedMax}, example("ada@example.com"),
                                 "The account's e-mail address, in any case"),
            field<&LogIn::password>(length{1, auth::kPasswordTypedMax}, write_only, secret,
                                    example("correct horse battery staple"), "The account's password"),
        });
  }
};

struct Refresh {
  std::string refresh_token;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Refresh>("A session to be continued",
                           {
                               field<&Refresh::refresh_token>(length{1, 200}, write_only, secret,
                                                              "The newest refresh token of the session"),
                           });
  }
};

/// What proves a session from here on.
struct Grant {
  UserView user;
  std::string access_token;
  std::string refresh_token;
  std::string token_type = "Bearer";
  std::int64_t expires_in = 0;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Grant>(
        "Tokens of a session (RFC 6749 section 5.1)",
        {
            field<&Grant::user>("Whose session it is"),
            field<&Grant::access_token>("Send it as `Authorization: Bearer ...`"),
            field<&Grant::refresh_token>(
                "Exchange it for new tokens at /v1/auth/refresh, once: after the use of its successor it "
                "is refused, and its reuse ends the session"),
            field<&Grant::token_type>("Always Bearer"),
            field<&Grant::expires_in>(example("600"), "Seconds until the access token expires"),
        });
  }
};

struct UpdateMe {
  Patch<std::string> name;
  api::IfMatch if_match;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<UpdateMe>("Changes to one's own account",
                            {
                                field<&UpdateMe::name>(same_as<&UserView::name>, nullable),
                                omit<&UpdateMe::if_match>,
                            },
                            edits<UserView>);
  }
};

struct ChangePassword {
  std::string current_password;
  std::string new_password;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<ChangePassword>("The old password and the new one",
                                  {
                                      field<&ChangePassword::current_password>(same_as<&LogIn::password>),
                                      field<&ChangePassword::new_password>(same_as<&SignUp::password>),
                                  });
  }
};

struct DeleteMe {
  std::string password;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<DeleteMe>("Proof that it is the user who wants the account gone",
                            {
                                field<&DeleteMe::password>(same_as<&LogIn::password>),
                            });
  }
};

struct SessionView {
  SessionId id;
  bool current = false;
  std::string address;
  std::string user_agent;
  Time created_at{};
  Time last_used_at{};
  Time expires_at{};

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<SessionView>(
        "A place where the user is logged in",
        {
            field<&SessionView::id>(key, "Set by the server"),
            field<&SessionView::current>("It is the session of this request"),
            field<&SessionView::address>("Where it was last used from"),
            field<&SessionView::user_agent>("What it was last used with, as that program calls itself"),
            field<&SessionView::created_at>("When the user logged in"),
            field<&SessionView::last_used_at>("When its tokens were last renewed"),
            field<&SessionView::expires_at>("When it ends, unless it is used before"),
        });
  }
};

struct SessionList {
  std::vector<SessionView> data;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<SessionList>("The user's sessions",
                               {
                                   field<&SessionList::data>("The last used one first"),
                               });
  }
};

using auth::UserDataOwner;

class Identity;

/// The operations and how they are reached; the module (module.h) makes the object that they are called on.
api::Api identity_api();
/// The same on one that was made already, which outlives the Api.
api::Api identity_api(Identity& identity);

}  // namespace bedplate::identity
