// SPDX-License-Identifier: Apache-2.0
// What the operating system knows about this process: memory, CPU, descriptors, threads.
//
//   ProcessCollector process;
//   Watch watch = registry.watch(process);   // process_* metrics, read whenever /metrics is
//
// From /proc/self, so Linux only; a number that cannot be read is left out.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "bedplate/base/time.h"
#include "bedplate/telemetry/metrics.h"

namespace bedplate::telemetry {

struct ProcessStats {
  std::optional<std::uint64_t> resident_bytes;
  std::optional<std::uint64_t> virtual_bytes;
  std::optional<double> cpu_seconds;  ///< User and system, all threads, since the start.
  std::optional<std::uint64_t> open_descriptors;
  std::optional<std::uint64_t> descriptors_max;  ///< The soft limit; nothing when there is none.
  std::optional<std::uint64_t> threads;
  std::optional<Time> started_at;  ///< To a hundredth of a second.
};

/// Takes some ten system calls (tens of microseconds). Thread-safe.
ProcessStats read_process_stats();

/// The names that every Prometheus client library uses: process_cpu_seconds_total,
/// process_resident_memory_bytes, process_open_fds, ...
class ProcessCollector final : public Collector {
 public:
  void collect(MetricWriter& out) const override;
};

}  // namespace bedplate::telemetry
