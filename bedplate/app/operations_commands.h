// SPDX-License-Identifier: Apache-2.0
// The commands that ask a running server how it is.
#pragma once

#include "bedplate/base/result.h"

namespace bedplate::app {

class Application;

/// `metrics`: prints what /metrics answers.
Result<void> print_metrics(const Application& application);
/// `health`: prints what /healthz answers; an error when a check fails, or when nobody answers.
Result<void> print_health(const Application& application);

}  // namespace bedplate::app
