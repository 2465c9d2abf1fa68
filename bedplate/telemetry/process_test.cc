// SPDX-License-Identifier: Apache-2.0
#include "bedplate/telemetry/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "bedplate/base/buffer.h"

namespace bedplate::telemetry {
namespace {

TEST(ProcessStats, AreThoseOfThisProcess) {
  const ProcessStats stats = read_process_stats();
  EXPECT_GT(stats.resident_bytes.value_or(0), 1'000'000U);
  EXPECT_GE(stats.virtual_bytes.value_or(0), stats.resident_bytes.value_or(0));
  EXPECT_GE(stats.cpu_seconds.value_or(-1), 0);
  EXPECT_GE(stats.open_descriptors.value_or(0), 3U);
  EXPECT_GE(stats.threads.value_or(0), 1U);
  const Time now = SystemClock().now();
  EXPECT_LE(stats.started_at.value_or(Time::max()), now + std::chrono::seconds{1});
  EXPECT_GE(stats.started_at.value_or(Time::min()), now - std::chrono::hours{1});
}

TEST(ProcessStats, CountDescriptors) {
  const auto before = read_process_stats().open_descriptors;
  const int file = ::open("/dev/null", O_RDONLY);
  EXPECT_EQ(read_process_stats().open_descriptors.value_or(0), before.value_or(0) + 1);
  ::close(file);
}

TEST(ProcessCollector, UsesTheUsualNames) {
  Registry registry;
  const ProcessCollector process;
  const Watch watch = registry.watch(process);
  Buffer out;
  registry.write_prometheus(out);
  const std::string text = out.to_string();
  for (const char* name :
       {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_virtual_memory_bytes",
        "process_open_fds", "process_threads", "process_start_time_seconds"}) {
    EXPECT_NE(text.find("\n" + std::string(name) + " "), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace bedplate::telemetry
