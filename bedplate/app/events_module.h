// SPDX-License-Identifier: Apache-2.0
// The log of events as every program has it: its tables, what numbers and deletes events in the background, and
// `events list` on the command line. Application adds it; see events/event_log.h.
#pragma once

#include "bedplate/app/module.h"
#include "bedplate/events/event_log.h"

namespace bedplate::app {

/// `settings` outlives the program.
Module events_module(events::EventSettings& settings);

}  // namespace bedplate::app
