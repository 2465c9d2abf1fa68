// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/rest.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "bedplate/base/text.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/surfaces/rest/problem.h"
#include "tests/kits/rest_kit.h"

namespace bedplate::api {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class RestTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  std::string created_path(std::string_view title = "Lamp") {
    Reply made = kit_.send("POST", "/v1/things", R"({"title":")" + std::string(title) + "\"}");
    EXPECT_EQ(made.status, 201) << made.body;
    return made.field("Location");
  }
  RestKit kit_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(, RestTest, testing::every_dialect(), testing::dialect_name);

TEST_P(RestTest, CreatesReadsChangesAndDeletes) {
  Reply made = kit_.send("POST", "/v1/things", R"({"title":"Lamp"})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.field("ETag"), "\"1\"");
  EXPECT_EQ(made.field("Content-Type"), "application/json");
  EXPECT_EQ(made.field("Cache-Control"), "no-store");
  std::string path = made.field("Location");
  ASSERT_THAT(path, HasSubstr("/v1/things/"));

  Reply found = kit_.get(path);
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.body, made.body);
  EXPECT_EQ(found.field("Cache-Control"), "private, no-cache");
  EXPECT_EQ(kit_.get(path, {{"If-None-Match", "\"1\""}}).status, 304);
  EXPECT_EQ(kit_.get(path, {{"If-None-Match", "\"1\""}}).body, "");
  EXPECT_EQ(kit_.get(path, {{"If-None-Match", "\"2\""}}).status, 200);

  Reply renamed = kit_.send("PATCH", path, R"({"title":"Table"})", {{"If-Match", "\"1-gzip\""}});
  EXPECT_EQ(renamed.status, 200) << renamed.body;
  EXPECT_EQ(renamed.field("ETag"), "\"2\"");
  Reply stale = kit_.send("PATCH", path, R"({"title":"Chair"})", {{"If-Match", "\"1\""}});
  EXPECT_EQ(stale.status, 412);
  EXPECT_THAT(stale.body, HasSubstr("version_mismatch"));
  EXPECT_EQ(kit_.send("PATCH", path, "{}", {{"If-Match", "*"}}).status, 200);
  EXPECT_EQ(kit_.send("PATCH", path, "{}", {{"If-Match", "nonsense"}}).status, 400);

  Reply gone = kit_.call("DELETE", path, {{"Authorization", "Bearer good"}});
  EXPECT_EQ(gone.status, 204);
  EXPECT_EQ(gone.body, "");
  EXPECT_EQ(kit_.get(path).status, 404);
}

TEST_P(RestTest, ProblemsSayWhatAndWhere) {
  Reply missing =
      kit_.get("/v1/things/018f3c1e-7a2b-7c3d-9e4f-5a6b7c8d9e0f", {{"X-Request-Id", "client-id-1"}});
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.field("Content-Type"), "application/problem+json");
  EXPECT_EQ(missing.field("X-Request-Id"), "client-id-1");
  EXPECT_EQ(missing.body,
            R"({"type":"about:blank","title":"Not Found","status":404,"detail":"There is no such thing.",)"
            R"("instance":"/v1/things/018f3c1e-7a2b-7c3d-9e4f-5a6b7c8d9e0f","code":"thing_not_found",)"
            R"("request_id":"client-id-1"})");
}

TEST_P(RestTest, ReportsEveryFaultAtOnce) {
  Reply bad = kit_.send("POST", "/v1/things", R"({"title":"","labels":["ok","far too long"],"nope":1})");
  EXPECT_EQ(bad.status, 422);
  EXPECT_THAT(bad.body, HasSubstr(R"("pointer":"/title","code":"too_short")"));
  EXPECT_THAT(bad.body, HasSubstr(R"("pointer":"/labels/1","code":"too_long")"));
  EXPECT_THAT(bad.body, HasSubstr(R"("pointer":"/nope","code":"unknown_field")"));
  Reply path_and_body = kit_.send("PATCH", "/v1/things/not-an-id", R"({"title":1})");
  EXPECT_EQ(path_and_body.status, 422);
  EXPECT_THAT(path_and_body.body, HasSubstr(R"("pointer":"{id}")"));
  EXPECT_THAT(path_and_body.body, HasSubstr(R"("pointer":"/title","code":"wrong_type")"));
  Reply malformed = kit_.send("POST", "/v1/things", R"({"title":)");
  EXPECT_EQ(malformed.status, 400);
  EXPECT_THAT(malformed.body, HasSubstr("malformed_json"));
}

TEST_P(RestTest, BindsQueryParameters) {
  EXPECT_EQ(kit_.get("/v1/things?color=red&label=a&label=b&limit=5").status, 200);
  Reply bad = kit_.get("/v1/things?color=blue&limit=500&page=0&nope=1&limit=3");
  EXPECT_EQ(bad.status, 422);
  EXPECT_THAT(bad.body, HasSubstr(R"("pointer":"?color","code":"not_one_of")"));
  EXPECT_THAT(bad.body, HasSubstr(R"("pointer":"?limit","code":"too_large")"));
  EXPECT_THAT(bad.body, HasSubstr(R"("pointer":"?page","code":"too_small")"));
  EXPECT_THAT(bad.body, HasSubstr(R"("pointer":"?nope","code":"unknown_field")"));
  EXPECT_THAT(bad.body, HasSubstr(R"("pointer":"?limit","code":"duplicate_field")"));
  EXPECT_EQ(kit_.get("/v1/things?sort=nope").status, 422);
  std::string long_name = "/v1/things?x";
  for (int i = 0; i < 60; ++i) long_name += "%c3%a9";
  Reply cut = kit_.get(long_name);
  EXPECT_EQ(cut.status, 422);
  EXPECT_TRUE(is_valid_utf8(cut.body)) << cut.body;
  EXPECT_EQ(kit_.get("/v1/things?limit=%zz").status, 400);
  EXPECT_EQ(kit_.get("/v1/things/018f3c1e-7a2b-7c3d-9e4f-5a6b7c8d9e0f?x=1").status, 422);
}

// Those of the page are found by other means than those of the other values; nobody should notice.
TEST_P(RestTest, FaultsOfAPageComeTogetherWithTheOthers) {
  const auto faults = [&](std::string_view query) {
    Reply reply = kit_.get("/v1/things?" + std::string(query));
    EXPECT_EQ(reply.status, 422) << reply.body;
    std::string all;
    Result<Problem> problem = from_json<Problem>(reply.body, {.view = View::stored});
    if (!problem || !problem->errors) return reply.body;
    for (const ProblemFault& fault : *problem->errors) all += fault.pointer + " " + fault.code + "; ";
    return all;
  };
  EXPECT_EQ(faults("page=0&limit=1000&sort=foo,-foo&cursor=abc"),
            "?page too_small; ?limit too_large; ?sort not_one_of; ?page exclusive; ?cursor invalid_cursor; ");
  EXPECT_EQ(faults("sort=title,-title,foo&color=blue&nope=1"),
            "?color not_one_of; ?nope unknown_field; ?sort not_one_of; ?sort not_unique; ");
  // A cursor of this list is judged where all is known that it is bound to, and is given the benefit of the doubt
  // elsewhere.
  for (std::string_view title : {"a", "b", "c"}) created_path(title);
  Result<Page<ThingView>> page =
      from_json<Page<ThingView>>(kit_.get("/v1/things?limit=2").body, {.view = View::stored});
  ASSERT_TRUE(page);
  const std::string cursor = "cursor=" + *page->pagination.next_cursor;
  EXPECT_EQ(kit_.get("/v1/things?limit=2&" + cursor).status, 200);
  EXPECT_EQ(faults("limit=0&sort=-title&" + cursor), "?limit too_small; ?cursor invalid_cursor; ");
  EXPECT_EQ(faults("limit=0&color=red&" + cursor), "?limit too_small; ?cursor invalid_cursor; ");
  EXPECT_EQ(faults("limit=0&" + cursor), "?limit too_small; ");
  EXPECT_EQ(faults("color=blue&" + cursor), "?color not_one_of; ");
  EXPECT_EQ(faults("sort=foo&" + cursor), "?sort not_one_of; ");
}

TEST_P(RestTest, PagesByNumberAndCursor) {
  for (std::string_view title : {"a", "b", "c", "d", "e"}) created_path(title);
  Reply first = kit_.get("/v1/things?limit=2");
  Result<Page<ThingView>> page = from_json<Page<ThingView>>(first.body, {.view = View::stored});
  ASSERT_TRUE(page) << first.body;
  EXPECT_EQ(page->data.size(), 2u);
  EXPECT_EQ(page->pagination.total, 5);
  EXPECT_EQ(page->pagination.total_pages, 3);
  EXPECT_EQ(page->links.next, "/v1/things?limit=2&page=2");
  EXPECT_EQ(kit_.get("/v1/things?page=99").status, 200);
  EXPECT_THAT(kit_.get("/v1/things?page=99").body, HasSubstr(R"("data":[])"));

  std::string seen;
  std::string target = "/v1/things?limit=2&cursor=" + *page->pagination.next_cursor;
  for (const ThingView& thing : page->data) seen += thing.title;
  while (!target.empty()) {
    Reply reply = kit_.get(target);
    Result<Page<ThingView>> next = from_json<Page<ThingView>>(reply.body, {.view = View::stored});
    ASSERT_TRUE(next) << reply.body;
    EXPECT_FALSE(next->pagination.page);
    EXPECT_FALSE(next->links.last);
    for (const ThingView& thing : next->data) seen += thing.title;
    target = next->links.next.value_or("");
  }
  EXPECT_EQ(seen, "abcde");
  Reply both = kit_.get("/v1/things?page=1&cursor=" + *page->pagination.next_cursor);
  EXPECT_EQ(both.status, 422);
  EXPECT_THAT(both.body, HasSubstr("?page"));
}

TEST_P(RestTest, AsksWhoCalls) {
  kit_.token.clear();
  Reply anonymous = kit_.get("/v1/things");
  EXPECT_EQ(anonymous.status, 401);
  EXPECT_EQ(anonymous.field("WWW-Authenticate"), "Bearer");
  kit_.token = "Bearer forged";
  EXPECT_EQ(kit_.get("/v1/things").field("WWW-Authenticate"), "Bearer error=\"invalid_token\"");
  kit_.token = "Basic Zm9vOmJhcg==";
  EXPECT_EQ(kit_.get("/v1/things").status, 401);
  kit_.token = "bearer  good";
  EXPECT_EQ(kit_.get("/v1/things").status, 200);
  kit_.token = "Bearer weak";
  Reply weak = kit_.get("/v1/things");
  EXPECT_EQ(weak.status, 403);
  EXPECT_THAT(weak.body, HasSubstr("`things:read`"));
  EXPECT_THAT(weak.field("WWW-Authenticate"), HasSubstr("insufficient_scope"));
  kit_.token = "Bearer forged";
  EXPECT_EQ(kit_.get("/hello").status, 200);  // open to all: not looked at
}

TEST_P(RestTest, AnswersMethodsAndPathsThatAreNotThere) {
  Reply wrong = kit_.call("PUT", "/v1/things");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.field("Allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(kit_.call("OPTIONS", "/v1/things").status, 204);
  EXPECT_EQ(kit_.call("OPTIONS", "/v1/things").field("Allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(kit_.call("HEAD", "/hello").status, 200);
  EXPECT_EQ(kit_.get("/v1/things/").status, 404);
  EXPECT_EQ(kit_.get("/nope").status, 404);
  EXPECT_EQ(kit_.call("POST", "/v1/things",
                      {{"X-HTTP-Method-Override", "DELETE"}, {"Authorization", "Bearer good"}})
                .status,
            415);  // an override is not looked at: it is a POST without a body
}

TEST_P(RestTest, TakesAndGivesJsonOnly) {
  auto post = [&](std::string_view type, std::string_view method = "POST",
                  std::string_view path = "/v1/things") {
    return kit_.call(method, path, {{"Content-Type", type}, {"Authorization", "Bearer good"}},
                     R"({"title":"x"})");
  };
  EXPECT_EQ(post("application/json; charset=UTF-8").status, 201);
  EXPECT_EQ(post("application/json; charset=utf8").status, 201);
  EXPECT_EQ(post("application/json; charset=\"UTF8\"").status, 201);
  EXPECT_EQ(post("application/json; charset=latin1").status, 415);
  EXPECT_EQ(post("text/plain").status, 415);
  EXPECT_EQ(post("application/merge-patch+json").status, 415);
  EXPECT_EQ(post("text/plain").field("Accept-Post"), "application/json");
  EXPECT_EQ(post("application/merge-patch+json", "PATCH", created_path()).status, 200);
  EXPECT_EQ(kit_.get("/v1/things", {{"Accept", "text/html"}}).status, 406);
  EXPECT_EQ(kit_.get("/v1/things", {{"Accept", "text/html, */*;q=0.1"}}).status, 200);
  EXPECT_EQ(kit_.get("/v1/things", {{"Accept", "application/problem+json"}}).status, 200);
}

TEST_P(RestTest, AfterAHundredFaultsItSaysThatThereAreMore) {
  const auto with_faults = [&](int count) {
    std::string body = R"({"title":"x")";
    for (int i = 0; i < count; ++i) body += fmt::format(R"(,"u{}":1)", i);
    return kit_.send("POST", "/v1/things", body + "}");
  };
  EXPECT_THAT(with_faults(100).body, AllOf(HasSubstr("/u99"), Not(HasSubstr("\"more\""))));
  EXPECT_THAT(with_faults(101).body,
              AllOf(HasSubstr("/u99"), Not(HasSubstr("/u100")), HasSubstr(R"("more":true)")));
  std::string query = "/v1/things?";
  for (int i = 0; i < 101; ++i) query += fmt::format("u{}=1&", i);
  EXPECT_THAT(kit_.get(query).body,
              AllOf(HasSubstr("?u99"), Not(HasSubstr("?u100")), HasSubstr(R"("more":true)")));
}

TEST_P(RestTest, ReadOnlyFieldsAreIgnoredInChanges) {
  const std::string path = created_path();
  Reply back = kit_.send("PATCH", path, kit_.get(path).body);
  EXPECT_EQ(back.status, 200) << back.body;
  // The path decides which thing it is.
  back = kit_.send("PATCH", path, R"({"id":"018f3c1e-7a2b-7c3d-9e4f-5a6b7c8d9e0f","title":"y"})");
  EXPECT_EQ(back.status, 200) << back.body;
  EXPECT_THAT(path, HasSubstr(back.body.substr(7, 36)));
  EXPECT_THAT(kit_.send("PATCH", path, R"({"version":0,"versio":0})").body,
              AllOf(HasSubstr(R"("pointer":"/versio","code":"unknown_field")"), Not(HasSubstr("/version"))));
}

TEST_P(RestTest, SaysWhatIsMissingOfABody) {
  const FieldList token = {{"Authorization", "Bearer good"}};
  const Reply nothing = kit_.call("POST", "/v1/things", token);
  EXPECT_EQ(nothing.status, 415);
  EXPECT_THAT(nothing.body, HasSubstr("The request has no body: send one in JSON"));
  const Reply untyped = kit_.call("POST", "/v1/things", token, R"({"title":"x"})");
  EXPECT_EQ(untyped.status, 415);
  EXPECT_THAT(untyped.body,
              HasSubstr("does not say what its body is: send `Content-Type: application/json`"));
  const Reply empty = kit_.send("POST", "/v1/things", "");
  EXPECT_EQ(empty.status, 400);
  EXPECT_THAT(empty.body, HasSubstr("malformed_json"));
  EXPECT_THAT(empty.body, HasSubstr("The request has no body"));
}

TEST_P(RestTest, NeverShowsInternals) {
  Reply broken = kit_.get("/broken");
  EXPECT_EQ(broken.status, 500);
  EXPECT_THAT(broken.body, HasSubstr(R"("code":"internal")"));
  EXPECT_THAT(broken.body, Not(HasSubstr("secret")));
  Reply thrown = kit_.send("POST", "/v1/things", R"({"title":"exception"})");
  EXPECT_EQ(thrown.status, 500);
  EXPECT_THAT(thrown.body, Not(HasSubstr("secret")));
}

TEST_P(RestTest, EveryAnswerHasItsFields) {
  for (Reply reply : {kit_.get("/hello"), kit_.get("/nope"), kit_.get("/v1/things")}) {
    EXPECT_EQ(reply.field("X-Content-Type-Options"), "nosniff");
    EXPECT_THAT(reply.field("Content-Security-Policy"), HasSubstr("default-src 'none'"));
    EXPECT_FALSE(reply.field("X-Request-Id").empty());
    EXPECT_FALSE(reply.field("RateLimit-Remaining").empty());
  }
  Reply hello = kit_.get("/hello");
  EXPECT_EQ(hello.field("Deprecation"), "@1767225600");
  EXPECT_EQ(hello.field("Sunset"), "Thu, 31 Dec 2026 00:00:00 GMT");
  Reply login = kit_.send("POST", "/v1/login", R"({"title":"x"})");
  EXPECT_EQ(login.status, 200) << login.body;
  EXPECT_EQ(login.field("Cache-Control"), "no-store");
}

TEST_P(RestTest, LimitsAddressesAndPrincipals) {
  kit_.parts.rate_limit.address_burst = 5;
  kit_.parts.rate_limit.address_rate = 0.01;
  kit_.execution.rate_limit.principal_burst = 2;
  kit_.execution.rate_limit.principal_rate = 0.01;
  kit_.parts.rate_limit.failed_auth_cost = 4;
  kit_.start();
  EXPECT_EQ(kit_.get("/v1/things").field("RateLimit-Remaining"), "1");
  EXPECT_EQ(kit_.get("/v1/things").status, 200);
  Reply limited = kit_.get("/v1/things");
  EXPECT_EQ(limited.status, 429);
  EXPECT_EQ(limited.field("Retry-After"), "100");
  EXPECT_EQ(limited.field("RateLimit-Limit"), "2");
  EXPECT_THAT(limited.body, HasSubstr("rate_limited"));
  kit_.token = "Bearer other";
  EXPECT_EQ(kit_.get("/v1/things").status, 200);
  kit_.peer = "192.0.2.9";
  kit_.token = "Bearer forged";
  EXPECT_EQ(kit_.get("/v1/things").status, 401);  // costs one, and four for the bad token
  EXPECT_EQ(kit_.get("/v1/things").status, 429);
  kit_.peer = "192.0.2.10";
  EXPECT_EQ(kit_.get("/hello").status, 200);
}

TEST_P(RestTest, WhatIsNoKeyIsRefusedRatherThanIgnored) {
  for (const FieldList& keys : {FieldList{{"Idempotency-Key", ""}}, FieldList{{"Idempotency-Key", "a b"}},
                                FieldList{{"Idempotency-Key", "one"}, {"Idempotency-Key", "two"}}}) {
    Reply reply = kit_.send("POST", "/v1/things", R"({"title":"Lamp"})", keys);
    EXPECT_EQ(reply.status, 400) << keys.front().second;
    EXPECT_THAT(reply.body, HasSubstr("invalid_idempotency_key"));
  }
}

TEST_P(RestTest, CorsAnswersListedOriginsOnly) {
  kit_.parts.cors.allowed_origins = {"https://app.example.org"};
  kit_.start();
  Reply preflight =
      kit_.call("OPTIONS", "/v1/things",
                {{"Origin", "https://app.example.org"}, {"Access-Control-Request-Method", "POST"}});
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.field("Access-Control-Allow-Origin"), "https://app.example.org");
  EXPECT_THAT(preflight.field("Access-Control-Allow-Methods"), HasSubstr("POST"));
  EXPECT_THAT(preflight.field("Access-Control-Allow-Headers"), HasSubstr("Authorization"));
  Reply stranger = kit_.call("OPTIONS", "/v1/things",
                             {{"Origin", "https://evil.example"}, {"Access-Control-Request-Method", "POST"}});
  EXPECT_EQ(stranger.field("Access-Control-Allow-Origin"), "");
  EXPECT_EQ(stranger.field("Vary"), "Origin");
}

TEST_P(RestTest, DocumentsVaryByOriginToo) {
  kit_.parts.cors.allowed_origins = {"https://app.example.org"};
  kit_.start();
  EXPECT_THAT(kit_.call("GET", "/openapi.json").fields, HasSubstr("Vary: Origin\r\n"));
}

TEST_P(RestTest, CountsByOperation) {
  kit_.get("/hello");
  kit_.get("/nope");
  Buffer text;
  kit_.metrics.write_prometheus(text);
  EXPECT_THAT(text.to_string(), HasSubstr(R"(http_requests_total{operation="things.hello",status="2xx"} 1)"));
  EXPECT_THAT(text.to_string(), HasSubstr(R"(http_requests_total{operation="none",status="4xx"} 1)"));
}

class Auditor final : public CommitHook {
 public:
  Async<void> before_commit(const Commit& commit, sql::Transaction&) override {
    seen += std::string(commit.name) + ";";
    if (refuse) co_await fail(kRefused);
  }
  std::span<const ErrorCode> errors() const override { return {&kRefused, 1}; }

  static constexpr ErrorCode kRefused{Category::conflict, "refused", "No."};
  std::string seen;
  bool refuse = false;
};

TEST_P(RestTest, HooksTakePartInTheCommit) {
  Auditor auditor;
  kit_.execution.commit_hooks = {&auditor};
  kit_.start();
  std::string path = created_path();
  EXPECT_THAT(kit_.rest->openapi(), HasSubstr("- `refused`: No."));
  EXPECT_EQ(auditor.seen, "things.create;");
  auditor.refuse = true;
  EXPECT_EQ(kit_.call("DELETE", path, {{"Authorization", "Bearer good"}}).status, 409);
  EXPECT_EQ(kit_.get(path).status, 200);
}

TEST_P(RestTest, AnOperationIsToldTheTraceItBelongsTo) {
  kit_.start();
  constexpr std::string_view kParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const auto traced = [&](FieldList fields) {
    EXPECT_EQ(kit_.send("POST", "/v1/things", R"({"title":"Lamp"})", std::move(fields)).status, 201);
    return kit_.things.trace;
  };
  EXPECT_EQ(traced({}), "");
  EXPECT_EQ(traced({{"traceparent", "00-not-one"}}), "");
  EXPECT_EQ(traced({{"traceparent", kParent}, {"traceparent", kParent}}), "") << "two are none";
  std::string trace = traced({{"traceparent", kParent}, {"tracestate", "a=1"}, {"tracestate", "b=2"}});
  EXPECT_THAT(trace, StartsWith("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
  EXPECT_THAT(trace, EndsWith("-01 a=1,b=2"));
  EXPECT_THAT(trace, Not(HasSubstr("00f067aa0ba902b7"))) << "the request is a span of its own";
}

}  // namespace
}  // namespace bedplate::api
