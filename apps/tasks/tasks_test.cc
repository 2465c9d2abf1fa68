// SPDX-License-Identifier: Apache-2.0
// The task API over real connections: server, identity, a database on each engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <memory>
#include <semaphore>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "apps/tasks/api.h"
#include "apps/tasks/service.h"
#include "bedplate/async/timer.h"
#include "bedplate/async/wake.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/execution/executor.h"
#include "bedplate/surfaces/rest/problem.h"
#include "bedplate/testing/conformance.h"
#include "bedplate/testing/json.h"
#include "bedplate/testing/test_app.h"
#include "services/identity/module.h"
#include "services/identity/service.h"
#include "tasks_migrations.h"
#include "tests/kits/database_kit.h"

namespace bedplate::tasks {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::HttpConnection;
using testing::HttpFields;
using testing::HttpResponse;
using ::testing::IsEmpty;
using testing::Json;
using ::testing::StartsWith;
using testing::TestApp;

template <class T>
T parsed(const HttpResponse& response) {
  JsonLimits limits;
  limits.view = View::output;
  Result<T> value = from_json<T>(response.body, limits);
  EXPECT_TRUE(value) << response.status << " " << response.body;
  return value ? std::move(*value) : T();
}

void build(app::Application& application) {
  auto settings = std::make_shared<identity::IdentitySettings>();
  application.add(identity::identity_module(*settings, {auth::PasswordCost::worthless_for_tests()}));
  application.add(tasks_module());
  application.wire([settings](app::Host&) {});  // they live as long as the application
}

// One signed-up user on a connection of their own.
class User {
 public:
  User(const TestApp& app, const std::string& email, std::string_view path = "/v1/auth/signup")
      : http_(app.url()) {
    HttpResponse answer = http_.post(path, R"({"email":")" + email + R"(","password":"correct horse 7"})");
    EXPECT_EQ(answer.status / 100, 2) << answer.body;
    token_ = parsed<identity::Grant>(answer).access_token;
  }

  /// The same user on another connection.
  User(const TestApp& app, const User& same) : http_(app.url()), token_(same.token_) {}

  const std::string& token() const { return token_; }

  HttpResponse call(std::string_view method, std::string_view target, std::string_view body = {},
                    HttpFields fields = {}) {
    fields.emplace_back("Authorization", "Bearer " + token_);
    if (!body.empty() && std::ranges::none_of(fields, [](auto& f) { return f.first == "Content-Type"; }))
      fields.emplace_back("Content-Type", "application/json");
    return http_.request(method, target, fields, body);
  }
  Task create(std::string_view json) {
    HttpResponse answer = call("POST", "/v1/tasks", json);
    EXPECT_EQ(answer.status, 201) << answer.body;
    return parsed<Task>(answer);
  }
  api::Page<Task> list(const std::string& query = "") {
    HttpResponse answer = call("GET", "/v1/tasks" + (query.empty() ? "" : "?" + query));
    EXPECT_EQ(answer.status, 200) << answer.body;
    return parsed<api::Page<Task>>(answer);
  }
  std::vector<std::string> titles(const std::string& query) {
    std::vector<std::string> result;
    for (const Task& task : list(query).data) result.push_back(task.title);
    return result;
  }

 private:
  HttpConnection http_;
  std::string token_;
};

std::string path_of(const Task& task) {
  return "/v1/tasks/" + task.id.to_string();
}

std::vector<std::string> fault_pointers(const HttpResponse& response) {
  std::vector<std::string> pointers;
  for (const auto& fault : parsed<api::Problem>(response).errors.value_or(std::vector<api::ProblemFault>()))
    pointers.push_back(fault.pointer);
  std::ranges::sort(pointers);
  return pointers;
}

class TasksTest : public testing::EngineTest {
 protected:
  TestApp app{build, {{"database.url", database_url()}}};
  User ada{app, "ada@example.com"};
};

TEST_P(TasksTest, CreateReadReplacePatchDelete) {
  HttpResponse made =
      ada.call("POST", "/v1/tasks",
               R"({"title":"Buy milk","due_at":"2030-01-31T18:00:00+01:00","labels":["home","shop"]})");
  ASSERT_EQ(made.status, 201) << made.body;
  Task task = parsed<Task>(made);
  EXPECT_EQ(made.field("Location"), path_of(task));
  EXPECT_EQ(made.field("ETag"), "\"1\"");
  EXPECT_THAT(made.body, HasSubstr(R"("due_at":"2030-01-31T17:00:00Z")"));
  EXPECT_EQ(task.status, Status::todo);
  EXPECT_EQ(task.description, "");
  EXPECT_EQ(task.created_at, app.clock().now());

  EXPECT_EQ(parsed<Task>(ada.call("GET", path_of(task))), task);

  app.clock().advance(std::chrono::seconds(5));
  HttpResponse replaced =
      ada.call("PUT", path_of(task), R"({"title":"Buy oat milk","status":"in_progress"})");
  ASSERT_EQ(replaced.status, 200) << replaced.body;
  Task second = parsed<Task>(replaced);
  EXPECT_EQ(second.title, "Buy oat milk");
  EXPECT_EQ(second.due_at, std::nullopt) << "what a PUT leaves out goes back to its default";
  EXPECT_THAT(second.labels, IsEmpty());
  EXPECT_EQ(second.version, 2);
  EXPECT_EQ(second.created_at, task.created_at);
  EXPECT_EQ(second.updated_at, app.clock().now());

  HttpResponse patched =
      ada.call("PATCH", path_of(task), R"({"status":"done","due_at":"2031-01-01T00:00:00Z"})",
               {{"Content-Type", "application/merge-patch+json"}});
  ASSERT_EQ(patched.status, 200) << patched.body;
  EXPECT_EQ(parsed<Task>(patched).title, "Buy oat milk");
  EXPECT_EQ(parsed<Task>(patched).status, Status::done);
  EXPECT_EQ(patched.field("ETag"), "\"3\"");

  HttpResponse cleared = ada.call("PATCH", path_of(task), R"({"due_at":null})");
  EXPECT_EQ(parsed<Task>(cleared).due_at, std::nullopt);

  EXPECT_EQ(ada.call("DELETE", path_of(task)).status, 204);
  HttpResponse gone = ada.call("GET", path_of(task));
  EXPECT_EQ(gone.status, 404);
  EXPECT_EQ(gone.field("Content-Type"), "application/problem+json");
  EXPECT_EQ(parsed<api::Problem>(gone).code, "task_not_found");
  EXPECT_EQ(ada.call("DELETE", path_of(task)).status, 404);
}

TEST_P(TasksTest, APatchThatChangesNothingIsNoNewVersion) {
  Task task = ada.create(R"({"title":"Same"})");
  app.clock().advance(std::chrono::seconds(1));
  HttpResponse answer = ada.call("PATCH", path_of(task), R"({"title":"Same"})");
  EXPECT_EQ(parsed<Task>(answer), task);
  EXPECT_EQ(answer.field("ETag"), "\"1\"");
}

TEST_P(TasksTest, NobodyReachesAnothersTask) {
  Task task = ada.create(R"({"title":"Diary entry"})");
  User eve(app, "eve@example.com");
  EXPECT_EQ(eve.call("GET", path_of(task)).status, 404);
  EXPECT_EQ(eve.call("PUT", path_of(task), R"({"title":"Mine now"})").status, 404);
  EXPECT_EQ(eve.call("PATCH", path_of(task), R"({"title":"Mine now"})").status, 404);
  EXPECT_EQ(eve.call("DELETE", path_of(task)).status, 404);
  EXPECT_THAT(eve.list().data, IsEmpty());
  EXPECT_THAT(eve.list("q=diary").data, IsEmpty());
  EXPECT_EQ(parsed<Task>(ada.call("GET", path_of(task))), task);
}

TEST_P(TasksTest, EveryBadFieldIsNamedAtOnce) {
  HttpResponse answer = ada.call(
      "POST", "/v1/tasks", R"({"title":"","status":"later","due_at":"tomorrow","labels":["a","a"],"x":1})");
  EXPECT_EQ(answer.status, 422);
  EXPECT_THAT(fault_pointers(answer), ElementsAre("/due_at", "/labels", "/status", "/title", "/x"));
  EXPECT_EQ(parsed<api::Problem>(answer).code, "validation_failed");
  EXPECT_THAT(ada.list().data, IsEmpty()) << "nothing of it was kept";
}

TEST_P(TasksTest, NulIsAFaultLikeAnyOtherInBodiesAndQueries) {
  HttpResponse answer =
      ada.call("POST", "/v1/tasks", R"({"title":"a\u0000b","status":"later","labels":["ok","\u0000"]})");
  EXPECT_EQ(answer.status, 422);
  EXPECT_THAT(fault_pointers(answer), ElementsAre("/labels/1", "/status", "/title"));
  EXPECT_EQ(parsed<api::Problem>(answer).errors->front().code, "invalid_character");
  answer = ada.call("GET", "/v1/tasks?label=a%00b&q=%00&limit=0");
  EXPECT_EQ(answer.status, 422);
  EXPECT_THAT(fault_pointers(answer), ElementsAre("?label", "?limit", "?q"));
}

TEST_P(TasksTest, WhatWasReadCanBeSentBack) {
  const Task task = ada.create(R"({"title":"x","labels":["a"],"due_at":"2030-01-31T17:00:00Z"})");
  const std::string path = path_of(task);
  std::string body = ada.call("GET", path).body;
  EXPECT_THAT(body, HasSubstr(R"("created_at":)"));
  HttpResponse put = ada.call("PUT", path, body);
  EXPECT_EQ(put.status, 200) << put.body;
  HttpResponse patch = ada.call("PATCH", path, put.body);
  EXPECT_EQ(patch.status, 200) << patch.body;
  const Task now = parsed<Task>(patch);
  EXPECT_EQ(now.id, task.id);
  EXPECT_EQ(now.created_at, task.created_at);
  EXPECT_EQ(now.labels, task.labels);
  // It does not set them, and what is unknown stays unknown; a new task names none of them.
  patch = ada.call("PATCH", path, R"({"title":"y","version":99,"created_at":"never","id":null})");
  EXPECT_EQ(patch.status, 200) << patch.body;
  EXPECT_LT(parsed<Task>(patch).version, 99);
  EXPECT_THAT(fault_pointers(ada.call("PATCH", path, R"({"title":"y","versions":1})")),
              ElementsAre("/versions"));
  EXPECT_THAT(fault_pointers(ada.call("POST", "/v1/tasks", body)),
              ElementsAre("/created_at", "/id", "/updated_at", "/version"));
}

TEST_P(TasksTest, ATitleIsNotBlank) {
  for (std::string_view method : {"PUT", "PATCH"})
    EXPECT_EQ(ada.call(method, path_of(ada.create(R"({"title":"x"})")), R"({"title":"\u00a0 \n"})").status,
              422);
  EXPECT_THAT(fault_pointers(ada.call("POST", "/v1/tasks", R"({"title":" ","labels":["\t"]})")),
              ElementsAre("/labels/0", "/title"));
}

TEST_P(TasksTest, ConditionalRequests) {
  Task task = ada.create(R"({"title":"x"})");
  EXPECT_EQ(ada.call("GET", path_of(task), "", {{"If-None-Match", "\"1\""}}).status, 304);
  EXPECT_EQ(ada.call("GET", path_of(task), "", {{"If-None-Match", "\"7\""}}).status, 200);
  HttpResponse refused = ada.call("PATCH", path_of(task), R"({"title":"y"})", {{"If-Match", "\"2\""}});
  EXPECT_EQ(refused.status, 412);
  EXPECT_EQ(parsed<api::Problem>(refused).code, "version_mismatch");
  EXPECT_EQ(ada.call("PATCH", path_of(task), R"({"title":"y"})", {{"If-Match", "\"1\""}}).status, 200);
  EXPECT_EQ(ada.call("DELETE", path_of(task), "", {{"If-Match", "\"1\""}}).status, 412);
  EXPECT_EQ(ada.call("DELETE", path_of(task), "", {{"If-Match", "*"}}).status, 204);
}

TEST_P(TasksTest, OneOfThoseWhoPatchTheSameVersionAtOnceSucceeds) {
  constexpr int kClients = 4;
  std::vector<std::unique_ptr<User>> clients;
  for (int i = 0; i < kClients; ++i) clients.push_back(std::make_unique<User>(app, ada));
  for (const char* method : {"PATCH", "PUT", "DELETE"}) {
    for (int round = 0; round < 8; ++round) {
      const Task task = ada.create(R"({"title":"x"})");
      std::barrier together(kClients);
      std::vector<int> statuses(kClients);
      std::vector<std::thread> threads;
      for (int i = 0; i < kClients; ++i)
        threads.emplace_back([&, i] {
          const std::string body =
              std::string(method) == "DELETE" ? "" : R"({"title":"by )" + std::to_string(i) + R"("})";
          together.arrive_and_wait();
          statuses[static_cast<std::size_t>(i)] =
              clients[static_cast<std::size_t>(i)]
                  ->call(method, path_of(task), body, {{"If-Match", "\"1\""}})
                  .status;
        });
      for (std::thread& thread : threads) thread.join();
      EXPECT_EQ(std::ranges::count_if(statuses, [](int status) { return status < 300; }), 1) << method;
      EXPECT_EQ(std::ranges::count_if(statuses, [](int status) { return status == 412 || status == 404; }),
                kClients - 1)
          << method;
    }
  }
}

TEST_P(TasksTest, PagesByNumberHaveTotalsAndLinks) {
  for (int i = 0; i < 7; ++i) ada.create(R"({"title":"t)" + std::to_string(i) + R"("})");
  api::Page<Task> page = ada.list("page=2&limit=3&sort=title");
  EXPECT_THAT(ada.titles("page=2&limit=3&sort=title"), ElementsAre("t3", "t4", "t5"));
  EXPECT_EQ(page.pagination.total, 7);
  EXPECT_EQ(page.pagination.total_pages, 3);
  EXPECT_TRUE(page.pagination.has_next);
  EXPECT_TRUE(page.pagination.has_previous);
  EXPECT_THAT(page.links.next.value_or(""), HasSubstr("page=3"));
  EXPECT_THAT(page.links.previous.value_or(""), HasSubstr("page=1"));
  EXPECT_THAT(page.links.last.value_or(""), HasSubstr("page=3"));
  HttpResponse next = ada.call("GET", *page.links.next);
  EXPECT_EQ(parsed<api::Page<Task>>(next).data.size(), 1u);
  EXPECT_THAT(ada.list("page=9&limit=3").data, IsEmpty());
  EXPECT_EQ(ada.call("GET", "/v1/tasks?limit=101").status, 422);
  EXPECT_EQ(ada.call("GET", "/v1/tasks?page=0").status, 422);
  EXPECT_EQ(ada.call("GET", "/v1/tasks?colour=red").status, 422);
}

TEST_P(TasksTest, TitlesAreSortedWithoutCaseAndAccents) {
  const std::vector<std::string> sorted = {"1", "A", "a", "á", "B", "b", "é", "Écran", "ecrans", "ß", "z"};
  for (const char* title : {"z", "ecrans", "A", "ß", "b", "á", "1", "é", "B", "a", "Écran"})
    ada.create(std::string(R"({"title":")") + title + R"("})");
  EXPECT_EQ(ada.titles("sort=title"), sorted);
  EXPECT_EQ(ada.titles("sort=-title"), std::vector<std::string>(sorted.rbegin(), sorted.rend()));
  std::vector<std::string> walked;
  api::Page<Task> page = ada.list("sort=title&limit=2");
  for (;;) {
    for (const Task& task : page.data) walked.push_back(task.title);
    if (!page.pagination.next_cursor) break;
    page = ada.list("sort=title&limit=2&cursor=" + *page.pagination.next_cursor);
  }
  EXPECT_EQ(walked, sorted);
  const Task last = ada.list("sort=-title&limit=1").data.front();
  EXPECT_EQ(ada.call("PATCH", path_of(last), R"({"title":"aB"})").status, 200);
  EXPECT_EQ(ada.titles("sort=title").at(4), "aB") << "the key follows the title";
}

TEST_P(TasksTest, CursorsWalkTheWholeListInAnySort) {
  const char* statuses[] = {"todo", "in_progress", "done"};
  std::set<std::string> all;
  for (int i = 0; i < 23; ++i) {
    std::string due = i % 3 ? R"(,"due_at":"2030-01-0)" + std::to_string(1 + i % 4) + R"(T00:00:00Z")" : "";
    Task task = ada.create(R"({"title":"t)" + std::to_string(i % 5) + R"(","status":")" + statuses[i % 3] +
                           "\"" + due + "}");
    all.insert(task.id.to_string());
  }
  for (const char* sort :
       {"created_at", "-created_at", "-due_at,title", "due_at,-title", "status,-due_at,title", "title"}) {
    std::vector<std::string> seen;
    std::vector<std::string> whole;
    for (const Task& task : ada.list(std::string("limit=100&sort=") + sort).data)
      whole.push_back(task.id.to_string());
    std::string query = std::string("limit=4&sort=") + sort;
    api::Page<Task> page = ada.list(query);
    for (;;) {
      for (const Task& task : page.data) seen.push_back(task.id.to_string());
      if (!page.pagination.next_cursor) break;
      page = ada.list(query + "&cursor=" + *page.pagination.next_cursor);
      EXPECT_FALSE(page.pagination.page);
      EXPECT_FALSE(page.links.last);
    }
    EXPECT_EQ(seen, whole) << sort;
    EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()), all) << sort;
  }
  api::Page<Task> page = ada.list("limit=4");
  EXPECT_EQ(ada.call("GET", "/v1/tasks?limit=4&page=2&cursor=" + *page.pagination.next_cursor).status, 422);
  EXPECT_EQ(ada.call("GET", "/v1/tasks?limit=4&sort=title&cursor=" + *page.pagination.next_cursor).status,
            422);
  EXPECT_EQ(ada.call("GET", "/v1/tasks?cursor=AAAA").status, 422);
}

TEST_P(TasksTest, Filters) {
  ada.create(R"({"title":"a","status":"done","labels":["home"],"due_at":"2030-01-01T00:00:00Z"})");
  ada.create(R"({"title":"b","labels":["home","work"],"due_at":"2030-02-01T00:00:00Z"})");
  ada.create(R"({"title":"c","labels":["work"]})");
  EXPECT_THAT(ada.titles("sort=title&status=done"), ElementsAre("a"));
  EXPECT_THAT(ada.titles("sort=title&label=home"), ElementsAre("a", "b"));
  EXPECT_THAT(ada.titles("sort=title&label=hom"), IsEmpty());
  EXPECT_THAT(ada.titles("sort=title&due_after=2030-01-15T00:00:00Z"), ElementsAre("b"));
  EXPECT_THAT(ada.titles("sort=title&due_before=2030-02-01T00:00:00Z"), ElementsAre("a"));
  EXPECT_THAT(ada.titles("sort=-due_at,title"), ElementsAre("c", "b", "a"));
  HttpResponse answer = ada.call("GET", "/v1/tasks?status=nope&due_after=x&limit=0&sort=colour");
  EXPECT_EQ(answer.status, 422);
  EXPECT_THAT(fault_pointers(answer), ::testing::IsSupersetOf({"?due_after", "?limit", "?status"}));
}

TEST_P(TasksTest, FullTextSearchFollowsChanges) {
  Task milk = ada.create(R"({"title":"Buy milk","description":"Two litres, the blue one"})");
  ada.create(R"({"title":"Write report","description":"About milking machines"})");
  EXPECT_THAT(ada.titles("q=milk&sort=title"), ElementsAre("Buy milk", "Write report")) << "stemmed";
  EXPECT_THAT(ada.titles("q=milk%20litres"), ElementsAre("Buy milk"));
  EXPECT_THAT(ada.titles("q=%22two%20litres%22"), ElementsAre("Buy milk"));
  EXPECT_THAT(ada.titles("q=rep*"), ElementsAre("Write report"));
  EXPECT_THAT(ada.titles("q=milk%20-blue"), ElementsAre("Write report"));
  EXPECT_THAT(ada.titles("q=%22%22"), IsEmpty());
  for (std::string_view blank : {"q=", "q=%20", "q=%09%20", "q=%E3%80%80", "q"})
    EXPECT_THAT(ada.titles("sort=title&" + std::string(blank)), ElementsAre("Buy milk", "Write report"))
        << blank;
  ada.call("PATCH", path_of(milk), R"({"title":"Buy bread","description":"Rye"})");
  EXPECT_THAT(ada.titles("q=litres"), IsEmpty());
  EXPECT_THAT(ada.titles("q=bread"), ElementsAre("Buy bread"));
  ada.call("DELETE", path_of(milk));
  EXPECT_THAT(ada.titles("q=bread"), IsEmpty());
}

TEST_P(TasksTest, AnIdempotencyKeyMakesOneTask) {
  HttpFields key = {{"Idempotency-Key", "0c6b1f7e"}};
  HttpResponse first = ada.call("POST", "/v1/tasks", R"({"title":"once"})", key);
  HttpResponse second = ada.call("POST", "/v1/tasks", R"({"title":"once"})", key);
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(second.status, 201);
  EXPECT_EQ(first.body, second.body);
  EXPECT_EQ(second.field("Location"), first.field("Location"));
  EXPECT_EQ(ada.call("POST", "/v1/tasks", R"({"title":"other"})", key).status, 422);
  EXPECT_EQ(ada.list().pagination.total, 1);
  User eve(app, "eve@example.com");
  EXPECT_EQ(eve.call("POST", "/v1/tasks", R"({"title":"hers"})", key).status, 201)
      << "keys belong to their caller";
}

TEST_P(TasksTest, AnAccountGoesWithItsTasks) {
  ada.create(R"({"title":"last words"})");
  EXPECT_EQ(ada.call("POST", "/v1/me/delete", R"({"password":"correct horse 7"})").status, 204);
  auto left = app.host().wait_for(app.database().read(+[](sql::Reader& db) -> Async<std::int64_t> {
    std::int64_t count = co_await ok(
        db.value<std::int64_t>("SELECT (SELECT count(*) FROM tasks) + (SELECT count(*) FROM tasks_search)"));
    co_return count;
  }));
  ASSERT_TRUE(left);
  EXPECT_EQ(*left, 0);
  EXPECT_EQ(ada.call("GET", "/v1/tasks").status, 401);
}

// What holds for every operation, of identity too.
TEST_P(TasksTest, EveryOperationConforms) {
  const User signed_up(app, "eve@example.com");
  const User promoted(app, "mallory@example.com");
  auto robbed = app.host().wait_for(app.database().transact(+[](sql::Transaction& db) -> Async<void> {
    co_await ok(db.run("UPDATE identity_users SET roles = '[]' WHERE email = 'eve@example.com'"));
    co_await ok(db.run(
        "UPDATE identity_users SET roles = '[\"user\",\"admin\"]' WHERE email = 'mallory@example.com'"));
  }));
  ASSERT_TRUE(robbed);
  const User admin(app, "mallory@example.com", "/v1/auth/login");
  const User eve(app, "eve@example.com", "/v1/auth/login");
  const testing::ConformanceOptions options{
      .token = admin.token(),
      .powerless_token = eve.token(),
      .skip = {"identity.log_out", "identity.delete_me", "identity.change_password",
               "identity.end_other_sessions"}};
  EXPECT_THAT(testing::conformance(app.url(), options), IsEmpty());
  EXPECT_THAT(testing::conformance(app.url(), {.token = "forged", .powerless_token = "", .skip = {}}),
              ::testing::Contains(HasSubstr("PATCH /v1/tasks/{id} with an unknown field: wanted 422")));
}

// One engine: what is not HTTP gets idempotency, hooks and audit as a request does.
struct Importer {
  app::Host* host = nullptr;
  std::string owner;
  Wake begin;
  std::binary_semaphore done{0};

  Async<void> import_once() {
    while (!co_await ok(begin.wait_for(std::chrono::hours(1)))) {
    }
    const auth::Principal system = auth::system_principal(auth::UserId(*Uuid::parse(owner)));
    auth::Caller caller;
    caller.principal = &system;
    const api::New<Task> input({.title = "From the background"});
    const api::CallOptions once{.idempotency_key = "import-1"};
    for (int attempt = 0; attempt < 2; ++attempt)
      std::ignore = co_await ok(host->executor().call(kCreate, caller, input, once));
    done.release();
    co_await ok(sleep_for(std::chrono::hours(1)));
  }
};

class TaskEngineTest : public testing::EngineTest {};

TEST_P(TaskEngineTest, APostABackgroundTaskAndATestCreateThroughTheSameExecutor) {
  Importer importer;
  TestApp app(
      [&](app::Application& application) {
        build(application);
        application.add(app::Module("importer", "Makes tasks beside requests").wire([&](app::Host& host) {
          importer.host = &host;
          host.in_background("import", [&] { return importer.import_once(); });
        }));
      },
      {{"database.url", database_url()}});
  User ada(app, "ada@example.com");
  ada.create(R"({"title":"By POST"})");
  const Json me = Json::parse(ada.call("GET", "/v1/me").body);
  importer.owner = std::string(me["id"].text());
  importer.begin.set();
  importer.done.acquire();

  const auth::Principal system = auth::system_principal(auth::UserId(*Uuid::parse(importer.owner)));
  auth::Caller caller;
  caller.principal = &system;
  const api::New<Task> input({.title = "By a test"});
  const api::CallOptions options;
  ASSERT_TRUE(app.host().wait_for(app.host().executor().call(kCreate, caller, input, options)));

  EXPECT_THAT(ada.titles("sort=title"), ElementsAre("By a test", "By POST", "From the background"));
  const auto audited = app.host().wait_for(app.database().read(+[](sql::Reader& db) -> Async<std::int64_t> {
    std::int64_t rows = co_await ok(
        db.value<std::int64_t>("SELECT count(*) FROM audit_log WHERE operation = 'tasks.create'"));
    co_return rows;
  }));
  EXPECT_EQ(*audited, 3) << "the repeated call of the background task ran nothing";
}

INSTANTIATE_TEST_SUITE_P(Engines, TaskEngineTest, testing::every_engine(), testing::engine_name);

INSTANTIATE_TEST_SUITE_P(Engines, TasksTest, testing::every_engine(), testing::engine_name);

}  // namespace
}  // namespace bedplate::tasks
