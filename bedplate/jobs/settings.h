// SPDX-License-Identifier: Apache-2.0
// Section `jobs` of the configuration.
#pragma once

#include <cstdint>

#include "bedplate/describe/describe.h"

namespace bedplate::jobs {

struct JobSettings {
  bool enabled = true;
  std::int64_t concurrency = 16;
  std::int64_t poll_ms = 1'000;
  std::int64_t beat_ms = 5'000;
  std::int64_t dead_after_ms = 30'000;
  std::int64_t drain_ms = 10'000;
  std::int64_t history_days = 7;

  static consteval auto describe() {
    using namespace bedplate::schema;
    using S = JobSettings;
    return object<JobSettings>(
        "Work that is done later",
        {
            field<&S::enabled>(optional_with_default, "This process runs jobs while it serves"),
            field<&S::concurrency>(range{1, 1024}, optional_with_default,
                                   "Jobs of one queue that run at once in a process"),
            field<&S::poll_ms>(range{10, 60'000}, optional_with_default,
                               "How often a queue is looked at that nobody announced anything for"),
            field<&S::beat_ms>(range{10, 60'000}, optional_with_default,
                               "How often a process says that it lives"),
            field<&S::dead_after_ms>(
                range{50, 600'000}, optional_with_default,
                "After so long without a word of its process a job is given to another one"),
            field<&S::drain_ms>(range{0, 600'000}, optional_with_default,
                                "How long jobs may go on when the process stops; then they are put back"),
            field<&S::history_days>(range{1, 36'500}, optional_with_default,
                                    "Days for which ended jobs are kept"),
        });
  }
};

}  // namespace bedplate::jobs
