// SPDX-License-Identifier: Apache-2.0
// What a process owes its surroundings: safe standard descriptors, no death by a file size limit, and an honest exit
// status when its output could not be written. Application sees to all of it.
#pragma once

#include <string_view>

#include "bedplate/base/result.h"

namespace bedplate::app {

/// Before anything else is opened. Idempotent.
/// - Descriptors 0 to 2 that are closed are opened on /dev/null. Otherwise the next files and sockets would get their
///   numbers, and what is printed or logged would be written into them. Standard input is opened for writing and the
///   other two for reading, so that using them fails as it did while they were closed.
/// - SIGXFSZ is ignored: a write past RLIMIT_FSIZE (`ulimit -f`, systemd's LimitFSIZE=) fails with EFBIG, as one to a
///   full disk does with ENOSPC, instead of ending the process.
void prepare_process();

/// Writes a line to standard output: `text`, and a newline if it does not end with one. A failure is told by
/// finish_output(), with its reason. On the main thread.
void print_line(std::string_view text);

/// Writes what standard output still buffers. Fails (Category::unavailable, `output_failed`) when some of what was
/// printed since the last call could not be written, to a full disk for example.
Result<void> finish_output();

}  // namespace bedplate::app
