// SPDX-License-Identifier: Apache-2.0
// Cron as every program has it: while it serves, the cron jobs of its modules are enqueued in the background, and its
// log says in words what runs when. A schedule that is wrong refuses the start. Application adds it; see jobs/cron.h.
#pragma once

#include "bedplate/app/module.h"

namespace bedplate::app {

Module cron_module();

}  // namespace bedplate::app
