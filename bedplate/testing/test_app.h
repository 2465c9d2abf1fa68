// SPDX-License-Identifier: Apache-2.0
// An application in the test's own process: on a port of its own, over a fresh database, with a clock that the test
// moves. Everything is real but the clock: sockets, loops, SQLite on disk.
//
//   TestApp app(notes::notes_module());
//   HttpConnection http(app.url());
//   EXPECT_EQ(http.get("/v1/notes").status, 200);
//
// With accounts, callers who use types (user.h):
//
//   TestApp app({identity::identity_module_for_tests(), tasks::tasks_module()});
//   User ann = app.user("ann");
//   EXPECT_TRUE(ann.call(tasks::kCreate, api::New<Task>({.title = "Buy milk"})));
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bedplate/app/application.h"
#include "bedplate/app/host.h"
#include "bedplate/testing/fake_clock.h"
#include "bedplate/testing/http.h"
#include "bedplate/testing/temp_dir.h"
#include "bedplate/testing/user.h"

namespace bedplate::testing {

using Settings = std::vector<std::pair<std::string, std::string>>;

/// Several modules, written as a list. (A Module cannot be copied out of a std::initializer_list.)
class Modules {
 public:
  struct Item {
    Item(app::Module of) : module(std::move(of)) {}
    mutable app::Module module;
  };
  Modules(std::initializer_list<Item> modules) {
    for (const Item& item : modules) list.push_back(std::move(item.module));
  }
  std::vector<app::Module> list;
};

class TestApp {
 public:
  /// Builds, migrates and serves. `settings` are as after --set; two loops, no rate limits, and time limits of a minute
  /// unless they say otherwise. Aborts with the reason when it does not start.
  explicit TestApp(const std::function<void(app::Application&)>& build, const Settings& settings = {});
  /// The same of a program that consists of one module.
  explicit TestApp(app::Module module, const Settings& settings = {});
  /// Of several.
  explicit TestApp(Modules modules, const Settings& settings = {});
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
  std::string database_url() const;
  const std::string& data_directory() const { return directory_.path(); }

  // ---- Callers. Those with an account need the identity module in the program; throws std::runtime_error otherwise.

  /// Signs up as NAME@example.com; who has an account already logs in, so the same name is the same account.
  User user(const std::string& name);
  /// The same, and an administrator.
  User admin(const std::string& name);
  /// Somebody without an account.
  User anonymous();

 private:
  TempDir directory_;
  FakeClock clock_;
  app::Application application_;
  std::unique_ptr<app::Host> host_;
};

}  // namespace bedplate::testing
