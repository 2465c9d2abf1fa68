// SPDX-License-Identifier: Apache-2.0
#include "server/demo.h"

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "apps/tasks/api.h"
#include "bedplate/app/command_caller.h"
#include "bedplate/execution/executor.h"
#include "services/identity/module.h"

namespace bedplate::server {
namespace {

using tasks::Status;
using tasks::Task;

struct Sample {
  const char* title;
  const char* description;
  Status status;
  int due_in_days;  // 0: no due date
  std::vector<std::string> labels;
};

const std::vector<Sample>& samples() {
  static const std::vector<Sample> kSamples = {
      {"Read the reference at /docs",
       "Every operation can be tried there.",
       Status::in_progress,
       1,
       {"bedplate"}},
      {"Buy milk", "Two litres, the blue one", Status::todo, 2, {"home", "shopping"}},
      {"Book the dentist", "", Status::todo, 14, {"home"}},
      {"Write the quarterly report",
       "Figures come from the finance folder",
       Status::in_progress,
       7,
       {"work"}},
      {"Review the pull request about search", "Look at the query plan", Status::todo, 3, {"work", "code"}},
      {"Repair the bicycle", "Rear brake, and a new chain", Status::todo, 0, {"home"}},
      {"Renew the passport", "", Status::done, 0, {"home", "papers"}},
      {"Plan the summer trip", "By train, two weeks", Status::todo, 90, {"home"}},
  };
  return kSamples;
}

Task task_of(const Sample& sample, Time now) {
  Task task;
  task.title = sample.title;
  task.description = sample.description;
  task.status = sample.status;
  task.labels = sample.labels;
  if (sample.due_in_days > 0) task.due_at = now + std::chrono::days(sample.due_in_days);
  return task;
}

Async<void> add_tasks(api::Executor& executor, const auth::Caller& caller, Time now) {
  for (const Sample& sample : samples()) {
    const api::New<Task> input(task_of(sample, now));
    std::ignore = co_await ok(executor.call(tasks::kCreate, caller, input));
  }
}

struct Account {
  std::string email;
  std::string password;
};

Async<Account> make_account(app::Host& host, identity::Administration& admin, std::string email,
                            std::string name) {
  Account account;
  account.email = email;
  account.password = co_await ok(admin.create(email, name));
  identity::UserView user = co_await ok(admin.find(email));
  const app::CommandCaller caller(user.id);
  Time now = host.clock().now();
  co_await ok(add_tasks(host.executor(), caller.caller(), now));
  co_return account;
}

Async<std::vector<Account>> make_accounts(app::Host& host, identity::Administration& admin) {
  std::int64_t users = co_await ok(admin.count_users());
  if (users > 0)
    co_return fail(
        Category::conflict, "not_empty",
        "There are users here already. Samples go into a data directory of their own: --data DIR.");
  std::vector<Account> accounts;
  Account ada = co_await ok(make_account(host, admin, "ada@example.com", "Ada Lovelace"));
  accounts.push_back(std::move(ada));
  Account grace = co_await ok(make_account(host, admin, "grace@example.com", "Grace Hopper"));
  accounts.push_back(std::move(grace));
  co_return accounts;
}

Result<void> make_demo(app::Host& host, const identity::IdentitySettings& settings) {
  identity::AdminContext context(host, settings, "demo");
  Result<std::vector<Account>> accounts = host.wait_for(make_accounts(host, context.admin()));
  if (!accounts) return std::unexpected(std::move(accounts.error()));
  std::puts("Two users with sample tasks. Their passwords are shown this once:");
  for (const Account& account : *accounts)
    std::printf("  %-18s %s\n", account.email.c_str(), account.password.c_str());
  return {};
}

}  // namespace

void add_demo(app::Application& application, const identity::IdentitySettings& settings) {
  application.command(
      {.name = "demo",
       .doc = "Create two sample users with tasks; refused where there are users already",
       .arguments = {},
       .makes_database = true},
      [&settings](app::Host& host, std::span<const std::string>) { return make_demo(host, settings); });
}

}  // namespace bedplate::server
