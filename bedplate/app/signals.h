// SPDX-License-Identifier: Apache-2.0
// SIGTERM, SIGINT and SIGHUP, taken by the main thread.
#pragma once

#include <csignal>

namespace bedplate::app {

/// Blocks the two signals in this thread and in every thread made after it, so that only wait() sees them. SIGPIPE is
/// ignored: a closed connection is an error value. Make one, before any other thread.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// Blocks until one comes; returns its number.
  int wait();
  /// From now on the next one ends the process at once: whoever sends a second does not want to wait for the drain.
  void end_process_on_the_next();

 private:
  sigset_t set_;
};

}  // namespace bedplate::app
