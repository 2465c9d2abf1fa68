// SPDX-License-Identifier: Apache-2.0
#include "bedplate/testing/test_app.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace bedplate::testing {
namespace {

[[noreturn]] void give_up(const char* doing, const Error& error) {
  std::fprintf(stderr, "bedplate test: %s: %s\n", doing, error.detail().c_str());
  std::abort();
}

}  // namespace

TestApp::TestApp(const std::function<void(app::Application&)>& build, const Settings& settings)
    : application_({"test", "0", "An application under test."}) {
  application_.use_clock(clock_);
  build(application_);
  app::CommonOptions options;
  options.settings = {
      {"data.directory", directory_.path()}, {"server.listen", "127.0.0.1:0"}, {"server.threads", "2"},
      {"rate_limit.enabled", "false"},       {"rest.access_log", "false"},     {"log.level", "warn"}};
  // A machine that is busy with other tests is no reason to give up.
  for (const char* limit :
       {"database.postgresql.connect_timeout_ms", "database.read_timeout_ms", "database.command_timeout_ms",
        "database.busy_timeout_ms", "server.header_timeout_ms", "server.body_timeout_ms",
        "server.request_timeout_ms"})
    options.settings.push_back({limit, "60000"});
  options.settings.insert(options.settings.end(), settings.begin(), settings.end());
  if (auto configured = application_.configure(options); !configured)
    give_up("configure", configured.error());
  auto host = app::Host::open(application_, app::HostPurpose::serve);
  if (!host) give_up("open", host.error());
  host_ = std::move(*host);
  if (auto serving = host_->serve(); !serving) give_up("serve", serving.error());
}

TestApp::TestApp(app::Module module, const Settings& settings)
    : TestApp([&module](app::Application& application) { application.add(std::move(module)); }, settings) {}

TestApp::~TestApp() {
  host_->stop();
}

}  // namespace bedplate::testing
