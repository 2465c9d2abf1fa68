// SPDX-License-Identifier: Apache-2.0
#include "bedplate/testing/test_app.h"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "bedplate/app/database_place.h"
#include "bedplate/testing/json.h"

namespace bedplate::testing {
namespace {

[[noreturn]] void give_up(const char* doing, const Error& error) {
  std::fprintf(stderr, "bedplate test: %s: %s\n", doing, error.detail().c_str());
  std::abort();
}

/// Password of every account that TestApp makes.
constexpr std::string_view kPassword = "correct horse battery";

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

TestApp::TestApp(Modules modules, const Settings& settings)
    : TestApp(
          [&modules](app::Application& application) {
            for (app::Module& module : modules.list) application.add(std::move(module));
          },
          settings) {}

TestApp::~TestApp() {
  host_->stop();
}

std::string TestApp::database_url() const {
  return app::database_url(application_);
}

User TestApp::user(const std::string& name) {
  const std::string email = name + "@example.com";
  const std::string body = R"({"email":")" + email + R"(","password":")" + std::string(kPassword) + R"("})";
  User visitor = anonymous();
  HttpResponse answer = visitor.request("POST", "/v1/auth/signup", body);
  if (answer.status == 409) answer = visitor.request("POST", "/v1/auth/login", body);
  const Json grant = Json::parse(answer.body);
  const std::optional<Uuid> id = Uuid::parse(grant["user"]["id"].text());
  if (answer.status / 100 != 2 || !id)
    throw std::runtime_error("TestApp::user(\"" + name + "\"): " + std::to_string(answer.status) + " " +
                             answer.body + " (does the program have the identity module?)");
  return {url(), host_->executor(), email, grant["access_token"].text(), auth::UserId(*id)};
}

User TestApp::admin(const std::string& name) {
  const User before = user(name);  // its tokens are those of a user
  for (const app::Module& module : application_.modules())
    for (const app::Module::Command& command : module.commands())
      if (command.spec.name == "admin grant")
        if (const Result<void> granted = command.body(*host_, std::vector{before.email()}); !granted)
          throw std::runtime_error("TestApp::admin(\"" + name + "\"): " + granted.error().detail());
  return user(name);
}

User TestApp::anonymous() {
  return {url(), host_->executor(), "", "", auth::UserId()};
}

}  // namespace bedplate::testing
