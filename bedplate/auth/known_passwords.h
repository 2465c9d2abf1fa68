// SPDX-License-Identifier: Apache-2.0
// Passwords that everybody tries first: a new password must not be one of them (NIST SP 800-63B section 5.1.1.2).
//
//   class Breached final : public auth::KnownPasswords { ... asks a service, or a file of hashes ... };
//   identity.refuse_passwords_in(breached);
//
// A service is asked without giving the password away: by the first characters of its hash, with the comparison here.
#pragma once

#include <string_view>

#include "bedplate/async/async.h"

namespace bedplate::auth {

/// Thread-safe.
class KnownPasswords {
 public:
  virtual ~KnownPasswords() = default;
  /// Whether others know this password. On a loop, which it does not hold up: what blocks or computes long goes to a
  /// pool of its own (async/worker_pool.h). `password` outlives the call. An error means that it cannot say.
  virtual Async<bool> contains(std::string_view password) = 0;
};

/// A short list, built in: the most common ones of 8 characters and more, in any case of their letters, also with a few
/// digits or signs at the end. It takes microseconds.
class CommonPasswords final : public KnownPasswords {
 public:
  Async<bool> contains(std::string_view password) override;
};

}  // namespace bedplate::auth
