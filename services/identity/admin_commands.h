// SPDX-License-Identifier: Apache-2.0
// The commands `admin ...` of the command line. Private header of module.cc.
#pragma once

#include "bedplate/app/module.h"
#include "services/identity/settings.h"

namespace bedplate::identity {

/// `settings` outlives the program.
app::Module add_admin_commands(app::Module module, const IdentitySettings& settings);

}  // namespace bedplate::identity
