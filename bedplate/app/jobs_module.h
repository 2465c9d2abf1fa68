// SPDX-License-Identifier: Apache-2.0
// Jobs as every program has them: their tables, the workers of this process, `jobs ...` on the command line, and, where
// there are accounts, operations for administrators. Application adds it; see jobs/enqueue.h and Module::job().
#pragma once

#include "bedplate/app/module.h"
#include "bedplate/jobs/settings.h"

namespace bedplate::app {

inline constexpr std::string_view kJobsScope = "jobs:admin";

/// `settings` outlives the program.
Module jobs_module(jobs::JobSettings& settings);

}  // namespace bedplate::app
