// SPDX-License-Identifier: Apache-2.0
// The HTTP contract of the whole: what every client may rely on, whatever the operation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "server.h"

namespace bedplate::e2e {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

void expect_problem(const HttpResponse& response, int status, const std::string& code) {
  EXPECT_EQ(response.status, status) << response.body;
  EXPECT_EQ(response.field("Content-Type"), "application/problem+json") << response.body;
  const Json problem = Json::parse(response.body);
  for (const char* name : {"type", "title", "status", "detail", "instance", "code", "request_id"})
    EXPECT_TRUE(problem.has(name)) << name << " " << response.body;
  EXPECT_EQ(problem["status"].number(), status);
  EXPECT_EQ(problem["code"].text(), code);
  EXPECT_EQ(problem["request_id"].text(), response.field("X-Request-Id"));
}

class Http : public ::testing::Test {
 protected:
  TempDir directory_;
  Server server_{directory_.path(),
                 {.settings = {"cors.allowed_origins=https://app.example.org",
                               // Who still sends a body that was refused long ago hears it all the same.
                               "server.linger_timeout_ms=60000"}}};
  User ada_{server_, "ada@example.com"};
};

TEST_F(Http, AListHasItsEnvelope) {
  for (int i = 0; i < 5; ++i) ada_.create("Task");
  const HttpResponse response = ada_.call("GET", "/v1/tasks?limit=2&page=2&sort=-created_at");
  EXPECT_EQ(response.status, 200);
  const Json list = Json::parse(response.body);
  EXPECT_EQ(list["data"].size(), 2u);
  const Json& pagination = list["pagination"];
  EXPECT_EQ(pagination["total"].number(), 5);
  EXPECT_EQ(pagination["page"].number(), 2);
  EXPECT_EQ(pagination["limit"].number(), 2);
  EXPECT_EQ(pagination["total_pages"].number(), 3);
  EXPECT_TRUE(pagination["has_next"].boolean());
  EXPECT_TRUE(pagination["has_previous"].boolean());
  for (const char* name : {"self", "first", "last", "next", "previous"}) {
    const std::string& link = list["links"][name].text();
    EXPECT_THAT(link, StartsWith("/v1/tasks?")) << name;
    EXPECT_EQ(ada_.call("GET", link).status, 200) << name;
  }
  EXPECT_EQ(Json::parse(ada_.call("GET", "/v1/tasks?page=9").body)["data"].size(), 0u);
  expect_problem(ada_.call("GET", "/v1/tasks?limit=101"), 422, "validation_failed");
  expect_problem(ada_.call("GET", "/v1/tasks?colour=red"), 422, "validation_failed");
}

TEST_F(Http, EachKindOfRefusalIsAProblem) {
  const std::string task = "/v1/tasks/" + ada_.create("Task");
  const std::string nobody = "/v1/tasks/00000000-0000-7000-8000-000000000000";
  expect_problem(ada_.call("POST", "/v1/tasks", "{\"title\":"), 400, "malformed_json");
  expect_problem(ada_.http().get("/v1/tasks"), 401, "token_required");
  expect_problem(ada_.call("GET", nobody), 404, "task_not_found");
  expect_problem(ada_.call("GET", "/v1/nothing"), 404, "not_found");
  expect_problem(ada_.call("GET", "/v1/tasks/"), 404, "not_found");
  expect_problem(ada_.call("POST", task, "{}"), 405, "method_not_allowed");
  expect_problem(ada_.call("GET", task, {}, {{"Accept", "image/png"}}), 406, "not_acceptable");
  expect_problem(ada_.call("PATCH", task, R"({"title":"x"})", {{"If-Match", "\"99\""}}), 412,
                 "version_mismatch");
  expect_problem(ada_.call("POST", "/v1/tasks", "title=x", {{"Content-Type", "text/plain"}}), 415,
                 "unsupported_media_type");
  expect_problem(ada_.call("POST", "/v1/tasks", R"({"title":"","labels":["a","a"],"x":1})"), 422,
                 "validation_failed");
  EXPECT_EQ(ada_.call("POST", "/v1/tasks", R"({"title":")" + std::string(3'000'000, 'x') + R"("})").status,
            413);
  User grace(server_, "grace@example.com");
  expect_problem(grace.call("GET", task), 404, "task_not_found");
  EXPECT_EQ(ada_.all_tasks().size(), 1u) << "nothing was made by what was refused";
}

TEST_F(Http, OptionsHeadAndAllow) {
  const std::string task = "/v1/tasks/" + ada_.create("Task");
  const HttpResponse options = ada_.call("OPTIONS", task);
  EXPECT_EQ(options.status, 204);
  for (const char* method : {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"})
    EXPECT_THAT(options.field("Allow"), HasSubstr(method));
  EXPECT_EQ(ada_.call("POST", task, "{}").field("Allow"), options.field("Allow"));
  const HttpResponse get = ada_.call("GET", task), head = ada_.call("HEAD", task);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.field("Content-Length"), std::to_string(get.body.size()));
  EXPECT_EQ(head.field("ETag"), get.field("ETag"));
}

TEST_F(Http, ConditionalRequests) {
  const HttpResponse made = ada_.call("POST", "/v1/tasks", R"({"title":"Task"})");
  EXPECT_EQ(made.status, 201);
  const std::string task = made.field("Location");
  EXPECT_EQ(task, "/v1/tasks/" + Json::parse(made.body)["id"].text());
  EXPECT_EQ(ada_.call("GET", task, {}, {{"If-None-Match", made.field("ETag")}}).status, 304);
  const HttpResponse changed =
      ada_.call("PATCH", task, R"({"status":"done"})", {{"If-Match", made.field("ETag")}});
  EXPECT_EQ(changed.status, 200);
  EXPECT_NE(changed.field("ETag"), made.field("ETag"));
  EXPECT_EQ(ada_.call("DELETE", task, {}, {{"If-Match", made.field("ETag")}}).status, 412);
  EXPECT_EQ(ada_.call("DELETE", task, {}, {{"If-Match", changed.field("ETag")}}).status, 204);
  EXPECT_EQ(ada_.call("GET", task).status, 404);
}

TEST_F(Http, AnIdempotencyKeyRunsACommandOnce) {
  const HttpFields key = {{"Idempotency-Key", "key-1"}};
  const HttpResponse first = ada_.call("POST", "/v1/tasks", R"({"title":"Once"})", key);
  const HttpResponse again = ada_.call("POST", "/v1/tasks", R"({"title":"Once"})", key);
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(again.field("Location"), first.field("Location"));
  const std::string log = server_.process().err();
  EXPECT_EQ(log.find("\"idempotency\":\"replayed\""), log.rfind("\"idempotency\":\"replayed\""));
  EXPECT_THAT(log, HasSubstr("\"idempotency\":\"replayed\""));
  expect_problem(ada_.call("POST", "/v1/tasks", R"({"title":"Other"})", key), 422, "idempotency_key_reused");
  EXPECT_EQ(ada_.all_tasks().size(), 1u);
}

TEST_F(Http, TheSameKeyAtOnceRunsOnce) {
  std::vector<std::thread> clients;
  std::vector<int> statuses(16);
  for (std::size_t i = 0; i < statuses.size(); ++i)
    clients.emplace_back([&, i] {
      User again(server_, ada_.email(), ada_.tokens());
      statuses[i] =
          again.call("POST", "/v1/tasks", R"({"title":"Once"})", {{"Idempotency-Key", "key-2"}}).status;
    });
  for (std::thread& client : clients) client.join();
  EXPECT_THAT(statuses, ::testing::Each(AnyOf(201, 409)));
  EXPECT_THAT(statuses, Contains(201));
  EXPECT_EQ(ada_.all_tasks().size(), 1u);
}

TEST_F(Http, DocumentsComeFromTheBinary) {
  HttpConnection& http = ada_.http();
  const HttpResponse document = http.get("/openapi.json");
  EXPECT_EQ(document.status, 200);
  EXPECT_EQ(Json::parse(document.body)["openapi"].text(), "3.1.0");
  HttpResponse page = http.get("/docs");
  if (page.status >= 300 && page.status < 400) page = http.get(page.field("Location"));
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.field("Content-Type"), StartsWith("text/html"));
  EXPECT_THAT(page.body, ::testing::Not(HasSubstr("src=\"http")));
}

TEST_F(Http, HealthAndMetrics) {
  HttpConnection& http = ada_.http();
  for (const char* path : {"/livez", "/readyz"}) EXPECT_EQ(http.get(path).status, 200) << path;
  ada_.create("Task");
  HttpConnection operations(server_.operations_url());
  EXPECT_TRUE(wait_until([&] { return operations.get("/healthz").status == 200; }))
      << operations.get("/healthz").body;
  EXPECT_TRUE(Json::parse(operations.get("/healthz").body)["checks"].is_list());
  const HttpResponse metrics = operations.get("/metrics");
  EXPECT_THAT(metrics.field("Content-Type"), StartsWith("text/plain; version=0.0.4"));
  EXPECT_THAT(metrics.body, HasSubstr("http_requests_total{operation=\"tasks.create\",status=\"2xx\"} 1\n"));
  for (const char* name : {"http_request_duration_seconds_bucket", "process_resident_memory_bytes"})
    EXPECT_THAT(metrics.body, HasSubstr(name));
}

TEST_F(Http, PreflightsOfAllowedOriginsOnly) {
  const auto ask = [&](const char* origin) {
    return ada_.http().request("OPTIONS", "/v1/tasks",
                               {{"Origin", origin},
                                {"Access-Control-Request-Method", "POST"},
                                {"Access-Control-Request-Headers", "authorization, content-type"}});
  };
  const HttpResponse allowed = ask("https://app.example.org");
  EXPECT_EQ(allowed.status, 204);
  EXPECT_EQ(allowed.field("Access-Control-Allow-Origin"), "https://app.example.org");
  EXPECT_THAT(allowed.field("Access-Control-Allow-Methods"), HasSubstr("POST"));
  EXPECT_FALSE(ask("https://evil.example.org").has_field("Access-Control-Allow-Origin"));
}

TEST_F(Http, CompressesForThoseWhoAsk) {
  HttpConnection& http = ada_.http();
  for (const char* coding : {"gzip", "br", "zstd"}) {
    const HttpResponse answer = http.get("/openapi.json", {{"Accept-Encoding", coding}});
    EXPECT_EQ(answer.field("Content-Encoding"), coding);
    std::string vary;
    for (const auto& [name, value] : answer.fields)
      if (name == "Vary") vary += value + ",";
    EXPECT_THAT(vary, HasSubstr("Accept-Encoding"));
    EXPECT_LT(answer.body.size(), 40'000u);
  }
  EXPECT_FALSE(http.get("/openapi.json").has_field("Content-Encoding"));
  EXPECT_FALSE(http.get("/openapi.json", {{"Accept-Encoding", "gzip;q=0"}}).has_field("Content-Encoding"));
}

TEST_F(Http, RequestIdsAreTakenOrMade) {
  EXPECT_EQ(ada_.call("GET", "/v1/me", {}, {{"X-Request-Id", "request-of-ada-123"}}).field("X-Request-Id"),
            "request-of-ada-123");
  const std::string made = ada_.call("GET", "/v1/me", {}, {{"X-Request-Id", "a b\"c"}}).field("X-Request-Id");
  EXPECT_NE(made, "a b\"c");
  EXPECT_FALSE(made.empty());
}

TEST(RateLimits, AreToldAndHeld) {
  TempDir directory;
  Server server(directory.path(), {.listen = "127.0.0.1:0",
                                   .settings = {"rate_limit.enabled=true", "rate_limit.address_burst=10",
                                                "rate_limit.address_rate=0.01"}});
  HttpConnection http(server.url());
  const HttpResponse first = http.get("/.well-known/jwks.json");
  EXPECT_EQ(first.field("RateLimit-Limit"), "10");
  EXPECT_EQ(first.field("RateLimit-Remaining"), "9");
  EXPECT_TRUE(first.has_field("RateLimit-Reset"));
  for (int i = 0; i < 9; ++i) EXPECT_EQ(http.get("/.well-known/jwks.json").status, 200);
  const HttpResponse refused = http.get("/.well-known/jwks.json");
  expect_problem(refused, 429, "rate_limited");
  EXPECT_GE(std::atoi(refused.field("Retry-After").c_str()), 1);
  EXPECT_EQ(refused.field("RateLimit-Remaining"), "0");
}

}  // namespace
}  // namespace bedplate::e2e
