// SPDX-License-Identifier: Apache-2.0
// The command `demo`: sample users and tasks, for a first look.
#pragma once

#include "bedplate/app/application.h"
#include "services/identity/settings.h"

namespace bedplate::server {

/// Makes two users with random passwords, which are printed once, and a few tasks for each. Refuses
/// (Category::conflict) where there are users already: samples do not belong among real data. `settings` outlives the
/// application.
void add_demo(app::Application& application, const identity::IdentitySettings& settings);

}  // namespace bedplate::server
