// SPDX-License-Identifier: Apache-2.0
// An application in the test's own process: on a port of its own, over a fresh database, with a clock that the test
// moves. Everything is real but the clock: sockets, loops, SQLite on disk.
//
//   TestApp app(notes::notes_module());
//   HttpConnection http(app.url());
//   EXPECT_EQ(http.get("/v1/notes").status, 200);
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bedplate/app/application.h"
#include "bedplate/app/host.h"
#include "bedplate/testing/fake_clock.h"
#include "bedplate/testing/http.h"
#include "bedplate/testing/temp_dir.h"

namespace bedplate::testing {

using Settings = std::vector<std::pair<std::string, std::string>>;

class TestApp {
 public:
  /// Builds, migrates and serves. `settings` are as after --set; two loops, no rate limits, and time limits of a minute
  /// unless they say otherwise. Aborts with the reason when it does not start.
  explicit TestApp(const std::function<void(app::Application&)>& build, const Settings& settings = {});
  /// The same of a program that consists of one module.
  explicit TestApp(app::Module module, const Settings& settings = {});
  TestApp(const TestApp&) = delete;
  TestApp& operator=(const TestApp&) = delete;
  /// Drains and stops.
  ~TestApp();

  const std::string& url() const { return host_->urls().front(); }
  /// Of /healthz and /metrics.
  const std::string& operations_url() const { return host_->operations_url(); }
  FakeClock& clock() { return clock_; }
  app::Host& host() { return *host_; }
  sql::Database& database() { return host_->database(); }
  const std::string& data_directory() const { return directory_.path(); }

 private:
  TempDir directory_;
  FakeClock clock_;
  app::Application application_;
  std::unique_ptr<app::Host> host_;
};

}  // namespace bedplate::testing
