// SPDX-License-Identifier: Apache-2.0
// The commands that every application has: serve, migrate, config, openapi, backup, restore.
#pragma once

#include "bedplate/app/command_line.h"
#include "bedplate/base/result.h"

namespace bedplate::app {

class Application;

/// Does what `invocation` asks, printing answers to standard output. `application` has been configured.
Result<void> run_builtin_command(Application& application, const Invocation& invocation);

}  // namespace bedplate::app
