// SPDX-License-Identifier: Apache-2.0
// The audit log as every program has it: its table, `audit list` on the command line, and, where there are accounts,
// `GET /v1/audit` for administrators. Application adds it; see execution/audit.h.
#pragma once

#include "bedplate/app/module.h"
#include "bedplate/execution/audit.h"

namespace bedplate::app {

/// `settings` outlives the program.
Module audit_module(api::AuditSettings& settings);

}  // namespace bedplate::app
