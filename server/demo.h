// SPDX-License-Identifier: Apache-2.0
// Sample users and tasks, for a first look.
#pragma once

#include "apps/tasks/service.h"
#include "bedplate/app/host.h"
#include "services/identity/administration.h"

namespace bedplate::server {

/// Makes two users with random passwords, which are printed once, and a few tasks for each. Refuses
/// (Category::conflict) where there are users already: samples do not belong among real data.
Result<void> make_demo(app::Host& host, identity::Administration& admin, tasks::Tasks& tasks);

}  // namespace bedplate::server
