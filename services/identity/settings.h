// SPDX-License-Identifier: Apache-2.0
// The settings of identity: the section `identity` of the configuration.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bedplate/auth/password.h"
#include "bedplate/auth/password_text.h"
#include "bedplate/describe/describe.h"

namespace bedplate::identity {

/// See login_throttle.h for what these mean together.
struct LoginThrottleSettings {
  bool enabled = true;
  std::int64_t attempts_per_account_and_address = 5;
  std::int64_t attempts_per_address = 30;
  std::int64_t attempts_per_account = 50;
  std::int64_t sign_ups_per_address = 100;
  std::int64_t backoff_max_seconds = 900;
  std::int64_t account_backoff_max_seconds = 10;
  std::int64_t entries_max = 65'536;

  static consteval auto describe() {
    using namespace bedplate::schema;
    using S = LoginThrottleSettings;
    return object<S>(
        "Back-off against guessing passwords. Independent of rate_limit.enabled",
        {
            field<&S::enabled>(optional_with_default, "Off only for load tests"),
            field<&S::attempts_per_account_and_address>(
                optional_with_default, range{1, 1000},
                "Wrong passwords for one account from one address before each further one doubles the wait"),
            field<&S::attempts_per_address>(optional_with_default, range{1, 100'000},
                                            "The same for one address over all accounts"),
            field<&S::attempts_per_account>(optional_with_default, range{1, 100'000},
                                            "The same for one account over all addresses; addresses that "
                                            "have logged in to it before are exempt"),
            field<&S::sign_ups_per_address>(optional_with_default, range{1, 1'000'000},
                                            "New accounts (and attempts at them) from one address before "
                                            "each further one doubles the wait"),
            field<&S::backoff_max_seconds>(optional_with_default, range{1, 86'400}, "The longest wait"),
            field<&S::account_backoff_max_seconds>(
                optional_with_default, range{1, 3600},
                "The longest wait that strangers can cause for an account"),
            field<&S::entries_max>(optional_with_default, range{1024, 16'777'216},
                                   "How many accounts and addresses are remembered; 32 bytes each"),
        });
  }
};

struct IdentitySettings {
  std::string issuer = "bedplate";
  std::string audience = "bedplate";
  std::int64_t access_token_seconds = 600;
  std::int64_t revocations_age_max_seconds = 60;
  std::int64_t session_days = 30;
  std::int64_t sessions_per_user_max = 100;
  std::string key_file;
  std::int64_t key_rotation_days = 90;
  std::vector<std::string> user_scopes;
  std::vector<std::string> admin_scopes;
  std::int64_t password_length_min = auth::kPasswordLengthMinAlone;
  bool refuse_common_passwords = true;
  std::int64_t password_memory_kib = 64 * 1024;
  std::int64_t password_passes = 2;
  std::int64_t password_threads = 2;
  std::int64_t password_queue_max = 64;
  LoginThrottleSettings login_throttle;

  static consteval auto describe() {
    using namespace bedplate::schema;
    using S = IdentitySettings;
    return object<S>(
        "Users, sessions and tokens",
        {
            field<&S::issuer>(optional_with_default, length{1, 200}, "The claim `iss` of access tokens"),
            field<&S::audience>(optional_with_default, length{1, 200}, "The claim `aud` of access tokens"),
            field<&S::access_token_seconds>(optional_with_default, range{10, 86'400},
                                            "Lifetime of an access token"),
            field<&S::revocations_age_max_seconds>(
                optional_with_default, range{0, 86'400},
                "How long a server that cannot read what others have revoked goes on accepting access "
                "tokens; then it answers 503 until it can. 0: as long as the tokens last"),
            field<&S::session_days>(optional_with_default, range{1, 400},
                                    "Idle timeout of a session, in days"),
            field<&S::sessions_per_user_max>(
                optional_with_default, range{1, 10'000},
                "Sessions of one user; a log-in beyond that ends the session that was idle for longest"),
            field<&S::key_file>(optional_with_default,
                                "The key that seals signing keys in the database: 32 bytes in base64url, "
                                "readable by its owner only. Made "
                                "at the first start. Empty: identity.key in the data directory. All "
                                "processes of a fleet share it"),
            field<&S::key_rotation_days>(optional_with_default, range{1, 3650},
                                         "Age at which a signing key is replaced"),
            field<&S::user_scopes>(optional_with_default, length{0, 100}, unique,
                                   each(length{1, 100}, pattern("^[!#-\\[\\]-~]+$")),
                                   "Scopes of the role user, which everybody has, in place of those that the "
                                   "program's modules declare for users. Empty: those"),
            field<&S::admin_scopes>(optional_with_default, length{0, 100}, unique,
                                    each(length{1, 100}, pattern("^[!#-\\[\\]-~]+$")),
                                    "Scopes of the role admin, beside those of user, in place of those that "
                                    "the modules declare for administrators. Empty: those"),
            field<&S::password_length_min>(optional_with_default,
                                           range{auth::kPasswordLengthMin, auth::kPasswordLengthMax},
                                           "Characters of a new password at least. NIST SP 800-63B-4 asks "
                                           "for 15 where it is all that is "
                                           "asked for at log-in"),
            field<&S::refuse_common_passwords>(
                optional_with_default,
                "New passwords must not be among the most common ones: a short list, built in"),
            field<&S::password_memory_kib>(
                optional_with_default,
                range{auth::PasswordCost::kMemoryKibMin, auth::PasswordCost::kMemoryKibMax},
                "Memory of one argon2id hash. Higher costs apply to an account at its next log-in"),
            field<&S::password_passes>(optional_with_default,
                                       range{auth::PasswordCost::kPassesMin, auth::PasswordCost::kPassesMax},
                                       "Passes of one argon2id hash"),
            field<&S::password_threads>(optional_with_default, range{1, 64},
                                        "Hashes computed at the same time"),
            field<&S::password_queue_max>(optional_with_default, range{1, 10'000},
                                          "Hashes that may wait; further requests are answered 503 at once"),
            field<&S::login_throttle>(optional_with_default, "Back-off against guessing passwords"),
        });
  }
};

}  // namespace bedplate::identity
