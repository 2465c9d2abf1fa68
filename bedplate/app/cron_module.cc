// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/cron_module.h"

#include <string>
#include <utility>

#include "bedplate/base/log.h"
#include "bedplate/jobs/cron.h"

namespace bedplate::app {
namespace {

Result<void> start(Host& host) {
  if (host.purpose() != HostPurpose::serve || host.declared_crons().empty()) return {};
  auto made = jobs::Cron::make(host.database(), host.clock(), host.zones(), host.declared_crons());
  if (!made) return std::unexpected(std::move(made.error()));
  const jobs::Cron& cron = host.own(std::move(*made));
  host.enqueue_crons_with(cron);
  for (const std::string& line : cron.words()) log_info("cron", {{"job", line}});
  if (host.settings().jobs.enabled) host.in_background("jobs: cron", [&cron] { return cron.run(); });
  return {};
}

}  // namespace

Module cron_module() {
  return Module("cron", "Jobs that a schedule enqueues").wire([](Host& host) {
    host.on_start([&host] { return start(host); });
  });
}

}  // namespace bedplate::app
