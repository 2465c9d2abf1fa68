// SPDX-License-Identifier: Apache-2.0
// The commands of the bedplate binary beside those that every application has: demo and admin.
#pragma once

#include "bedplate/app/application.h"
#include "services/identity/sealing_key.h"
#include "services/identity/settings.h"

namespace bedplate::server {

/// The key that seals the signing keys: read from identity.key_file, or from the data directory, where it is made at
/// the first start. For a host that only describes, a key that is kept nowhere.
Result<identity::SealingKey> sealing_key(const app::Host& host, const identity::IdentitySettings& settings);

/// `settings` outlives the application.
void add_commands(app::Application& application, const identity::IdentitySettings& settings);

}  // namespace bedplate::server
