// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "bedplate/describe/json/json.h"
#include "bedplate/sql/error.h"
#include "tests/kits/rest_kit.h"

namespace bedplate::api {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class RestBuildTest : public ::testing::Test {
 protected:
  /// What Rest::make() says against an Api.
  std::string complaint(Api api) {
    std::vector<Api> apis;
    apis.push_back(std::move(api));
    auto made = kit_.make(std::move(apis));
    return made ? "" : made.error().detail();
  }
  RestKit kit_;
  Things things_;
};

TEST_F(RestBuildTest, RefusesAPathParameterWithoutAField) {
  EXPECT_THAT(complaint(Api("t", "").query<&Things::find>("find", things_, get("/t/{thing}"), any_user())),
              HasSubstr("ThingRef has no field thing"));
  EXPECT_THAT(complaint(Api("t", "").pure<&Things::hello>("hello", things_, get("/t/{id}"), any_user())),
              HasSubstr("takes no input"));
}

TEST_F(RestBuildTest, RefusesConflictsAndDoubles) {
  EXPECT_THAT(complaint(Api("t", "")
                            .query<&Things::find>("find", things_, get("/t/{id}"), any_user())
                            .pure<&Things::hello>("hello", things_, get("/t/{id}"), any_user())),
              HasSubstr("takes no input"));
  EXPECT_THAT(complaint(Api("t", "")
                            .pure<&Things::hello>("hello", things_, get("/t"), any_user())
                            .pure<&Things::broken>("broken", things_, get("/t"), any_user())),
              HasSubstr("match the same requests"));
  EXPECT_THAT(complaint(Api("t", "")
                            .pure<&Things::hello>("hello", things_, get("/a"), any_user())
                            .pure<&Things::hello>("hello", things_, get("/b"), any_user())),
              HasSubstr("the same name"));
}

TEST_F(RestBuildTest, RefusesWhatDoesNotFit) {
  EXPECT_THAT(complaint(Api("t", "").command<&Things::create>("create", things_, post("/t"), any_user(),
                                                              creates("/t/{key}"))),
              HasSubstr("{key}"));
  EXPECT_THAT(complaint(Api("t", "").command<&Things::create>("create", things_, post("/t"), any_user(),
                                                              example_input(R"({"title":""})"))),
              HasSubstr("example does not fit CreateThing"));
  EXPECT_THAT(complaint(Api("t", "").pure<&Things::hello>("hello", things_, get("/t"), any_user(),
                                                          links_to("t.gone"))),
              HasSubstr("t.gone"));
  kit_.execution.database = nullptr;
  EXPECT_THAT(complaint(Api("t", "").query<&Things::find>("find", things_, get("/t/{id}"), any_user())),
              HasSubstr("database"));
  kit_.parts.authenticator = nullptr;
  EXPECT_THAT(complaint(Api("t", "").pure<&Things::hello>("hello", things_, get("/t"), any_user())),
              HasSubstr("authenticator"));
}

TEST_F(RestBuildTest, RefusesALogInThatCannotBeOne) {
  const auto log_in = [&](Route route, auto access) {
    return Api("t", "").procedure<&Things::log_in>("log_in", things_, route, access,
                                                   logs_in<&Greeting::text>());
  };
  EXPECT_EQ(complaint(log_in(post("/t"), open_to_all())), "");
  EXPECT_THAT(complaint(log_in(get("/t"), open_to_all())), HasSubstr("a POST that is open to all"));
  EXPECT_THAT(complaint(log_in(post("/t"), any_user())), HasSubstr("a POST that is open to all"));
  EXPECT_THAT(complaint(Api("t", "").pure<&Things::hello>("hello", things_, post("/t"), open_to_all(),
                                                          logs_in<&Greeting::text>())),
              HasSubstr("takes a body"));
  EXPECT_THAT(complaint(log_in(post("/t"), open_to_all())
                            .procedure<&Things::log_in>("log_in_too", things_, post("/u"), open_to_all(),
                                                        logs_in<&Greeting::text>())),
              HasSubstr("t.log_in logs in already"));
}

struct Lists {
  Result<std::vector<ThingView>> all() { return {}; }
  Result<std::string> word() { return {}; }
};

TEST_F(RestBuildTest, SaysWhatAnOutputMustBe) {
  Lists lists;
  EXPECT_THAT(complaint(Api("t", "").pure<&Lists::all>("all", lists, get("/t"), open_to_all())),
              HasSubstr("t.all: its output must be a described struct, not a list"));
  EXPECT_THAT(complaint(Api("t", "").pure<&Lists::word>("word", lists, get("/t"), open_to_all())),
              HasSubstr("its output must be a described struct"));
}

TEST_F(RestBuildTest, OperationsHaveTheirNamesAndKinds) {
  Api api = things_api(things_);
  EXPECT_EQ(api.operations()[0].name, "things.create");
  EXPECT_EQ(api.operations()[0].kind, OperationKind::command);
  EXPECT_EQ(api.operations()[1].kind, OperationKind::query);
  EXPECT_EQ(api.operations()[5].kind, OperationKind::procedure);
  EXPECT_EQ(api.operations()[6].kind, OperationKind::pure);
  EXPECT_EQ(success_status(api.operations()[4]), 204);
}

// ---- the documents

TEST_F(RestBuildTest, TheDocumentNamesEverything) {
  kit_.start();
  Reply document = kit_.call("GET", "/openapi.json");
  ASSERT_EQ(document.status, 200);
  EXPECT_EQ(document.field("Content-Type"), "application/json");
  for (std::string_view part :
       {R"("openapi":"3.1.0")", R"("operationId":"things.create")", R"("/v1/things/{id}")",
        R"("title_taken")", R"("x-required-scopes":["things:write"])",
        R"("$ref":"#/components/schemas/ThingView")", R"("Idempotency-Key")", R"("If-Match")",
        R"("deprecated":true)", R"("$response.body#/id")", "application/merge-patch+json", "Fields: `title`"})
    EXPECT_THAT(document.body, HasSubstr(part));
  EXPECT_TRUE(check_json(document.body));
  std::string etag = document.field("ETag");
  EXPECT_EQ(kit_.call("GET", "/openapi.json", {{"If-None-Match", etag}}).status, 304);
  Reply packed = kit_.call("GET", "/openapi.json", {{"Accept-Encoding", "br"}});
  EXPECT_EQ(packed.field("Content-Encoding"), "br");
  EXPECT_LT(packed.body.size(), document.body.size() / 3);
  EXPECT_NE(packed.field("ETag"), etag);
}

TEST_F(RestBuildTest, TheDocumentSaysHowToReadOnesWritesWhereReplicasAnswer) {
  kit_.start();
  EXPECT_THAT(kit_.rest->openapi(), Not(HasSubstr("Bedplate-Commit")));
  kit_.parts.document.read_replicas = true;
  kit_.start();
  const std::string& document = kit_.rest->openapi();
  const auto of = [&](std::string_view operation) {
    const std::size_t at = document.find(R"("operationId":")" + std::string(operation) + R"(","tags")");
    return document.substr(at, document.find(R"("security":)", document.find(R"("security":)", at) + 1) - at);
  };
  constexpr std::string_view kTakes = R"({"name":"Bedplate-Commit","in":"header")";
  constexpr std::string_view kAnswers =
      R"("Bedplate-Commit":{"$ref":"#/components/headers/Bedplate-Commit"})";
  EXPECT_THAT(of("things.find"), AllOf(HasSubstr(kTakes), Not(HasSubstr(kAnswers))));
  for (std::string_view writes : {"things.create", "things.remove", "things.log_in"})
    EXPECT_THAT(of(writes), AllOf(HasSubstr(kAnswers), Not(HasSubstr(kTakes)))) << writes;
  EXPECT_THAT(of("things.hello"), AllOf(Not(HasSubstr(kAnswers)), Not(HasSubstr(kTakes))));
  EXPECT_TRUE(check_json(document));
}

// What tools make of the document must be taken: they send examples as they stand, and texts of any characters.
TEST_F(RestBuildTest, TheDocumentPromisesNothingThatIsRefused) {
  kit_.start();
  const std::string& document = kit_.rest->openapi();
  EXPECT_EQ(document.find(R"("example":"\"7\"")"), std::string::npos);
  for (std::string_view part : {R"("maxLength":128,"pattern":"^[!-~]+$")", R"("pattern":"^[^\\x00]*$")",
                                R"("414")", R"("431")", "`uri_too_long`"})
    EXPECT_THAT(document, HasSubstr(part));
}

TEST_F(RestBuildTest, TheDocumentShowsWhatIsIgnoredInChanges) {
  kit_.start();
  const std::string& document = kit_.rest->openapi();
  EXPECT_THAT(
      document,
      HasSubstr(
          R"("id":{"type":"string","format":"uuid","description":"Set by the server","readOnly":true},"version":{)"));
  EXPECT_THAT(document, HasSubstr(R"("readOnly":true}},"additionalProperties":false)"));
}

TEST_F(RestBuildTest, TheDocumentNamesTheLogInAndWhichErrorsAreAnOperationsOwn) {
  kit_.start();
  EXPECT_THAT(kit_.rest->openapi(),
              AllOf(HasSubstr("Paste the `text` of `POST /v1/login`, without the word Bearer."),
                    HasSubstr(R"("x-log-in":{"operationId":"things.log_in","token":"text"})"),
                    HasSubstr(R"("x-own-errors":{"404":["thing_not_found"]})"),
                    HasSubstr(R"("x-own-errors":{"409":["title_taken"]})")));
  std::vector<Api> apis;
  apis.push_back(Api("t", "").pure<&Things::broken>("broken", things_, get("/t"), any_user()));
  auto without = kit_.make(std::move(apis));
  ASSERT_TRUE(without);
  EXPECT_THAT((*without)->openapi(), AllOf(HasSubstr("Paste an access token"), Not(HasSubstr("x-log-in")),
                                           Not(HasSubstr("x-own-errors"))));
}

TEST_F(RestBuildTest, EveryReferenceLeadsSomewhere) {
  kit_.start();
  const std::string& document = kit_.rest->openapi();
  std::size_t references = 0;
  for (std::size_t at = document.find("\"$ref\":\"#/components/"); at != std::string::npos;
       at = document.find("\"$ref\":\"#/components/", at + 1), ++references) {
    std::size_t begin = document.find("components/", at) + 11;
    std::string path = document.substr(begin, document.find('"', begin) - begin);
    std::string name = path.substr(path.find('/') + 1);
    EXPECT_NE(document.find("\"" + name + "\":{", document.find("\"components\":")), std::string::npos)
        << path;
  }
  EXPECT_GT(references, 50u);
}

TEST_F(RestBuildTest, ComponentsThatNobodyUsesAreLeftOut) {
  kit_.start();
  for (std::string_view part :
       {R"("Sunset":{"description")", R"("Deprecation":{"description")", R"("bearer":{)"})
    EXPECT_THAT(kit_.rest->openapi(), HasSubstr(part));
  std::vector<Api> apis;
  apis.push_back(Api("t", "").pure<&Things::hello>("hello", things_, get("/t"), open_to_all()));
  auto rest = kit_.make(std::move(apis));
  ASSERT_TRUE(rest);
  for (std::string_view part : {"Sunset", "Deprecation", "\"bearer\"", "ETag", "Location"})
    EXPECT_THAT((*rest)->openapi(), Not(HasSubstr(part)));
}

TEST_F(RestBuildTest, TheDocumentNamesTheLicenceThatItWasGiven) {
  kit_.start();
  EXPECT_THAT(kit_.rest->openapi(), Not(HasSubstr("\"license\"")));
  kit_.parts.document.license = "Apache-2.0";
  kit_.start();
  EXPECT_THAT(kit_.rest->openapi(),
              HasSubstr(R"("license":{"name":"Apache-2.0","identifier":"Apache-2.0"})"));
}

// ---- every error

struct Answers {
  ErrorCode error;
  Result<Greeting> now() { return fail(error); }
  Async<Greeting> read(sql::Reader&) { co_return fail(error); }
  Async<void> write(sql::Transaction&) { co_await fail(error); }
};
constexpr ErrorCode kOfItsOwn{Category::gone, "things_are_gone", "Things are gone."};

/// What each kind of operation answers to an error, declared or not.
class DeclaredErrorsTest : public RestBuildTest {
 protected:
  template <class... Options>
  std::string answers(const ErrorCode& error, Options... options) {
    answers_.error = error;
    std::vector<Api> apis;
    apis.push_back(
        Api("t", "")
            .pure<&Answers::now>("now", answers_, bedplate::api::get("/now"), any_user(), options...)
            .template query<&Answers::read>("read", answers_, bedplate::api::get("/read"), any_user(),
                                            options...)
            .template command<&Answers::write>("write", answers_, post("/write"), any_user(), options...));
    auto made = kit_.make(std::move(apis));
    if (!made) return made.error().detail();
    kit_.rest = std::move(*made);
    return std::to_string(kit_.get("/now").status) + " " + std::to_string(kit_.get("/read").status) + " " +
           std::to_string(kit_.send("POST", "/write", "").status);
  }
  Answers answers_;
};

TEST_F(DeclaredErrorsTest, AnErrorOfItsOwnIsDeclaredAndThenAnswered) {
  EXPECT_EQ(answers(kOfItsOwn, fails_with(kOfItsOwn)), "410 410 410");
  EXPECT_THAT(kit_.rest->openapi(), HasSubstr(R"("410":)"));
  EXPECT_THAT(kit_.rest->openapi(), HasSubstr(R"("code":{"enum":["things_are_gone"]})"));
}

#ifndef NDEBUG
TEST_F(DeclaredErrorsTest, OneThatIsNotDeclaredIsRefused) {
  EXPECT_EQ(answers(kOfItsOwn), "500 500 500");
  const ErrorCode same_code_other_status{Category::not_found, kOfItsOwn.code, kOfItsOwn.detail};
  EXPECT_EQ(answers(same_code_other_status, fails_with(kOfItsOwn)), "500 500 500");
}
#endif

// What the framework adds follows the kind of the operation.
TEST_F(DeclaredErrorsTest, WhatTheDatabaseAnswersIsDocumentedByKind) {
  EXPECT_EQ(answers({Category::unavailable, sql::kStorageFull, "Full."}), "500 503 503");
  EXPECT_EQ(answers({Category::invalid, sql::kTextInvalid, "Bad text."}), "500 422 422");
  EXPECT_EQ(answers({Category::conflict, sql::kUniqueViolation, "Taken."}), "500 500 409");
  EXPECT_EQ(answers({Category::unavailable, sql::kCommitUnknown, "Who knows."}), "500 500 503");
  EXPECT_EQ(answers({Category::timeout, "deadline_exceeded", "Too long."}), "504 504 504");
  const std::string& document = kit_.rest->openapi();
  for (std::string_view code : {sql::kStorageFull, sql::kTextInvalid, sql::kUniqueViolation,
                                sql::kCommitUnknown, sql::kSerializationFailure, sql::kValueTooLarge})
    EXPECT_THAT(document, HasSubstr("- `" + std::string(code) + "`: ")) << code;
  EXPECT_THAT(document, Not(HasSubstr(R"("examples":["bad_)"))) << "the codes of a status are all there are";
}

TEST_F(RestBuildTest, TheReferencePageLoadsOnlyFromHere) {
  kit_.start();
  Reply page = kit_.call("GET", "/docs");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.field("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(page.field("Content-Security-Policy"), HasSubstr("script-src 'self'"));
  EXPECT_EQ(page.body.find("http://"), std::string::npos);
  EXPECT_EQ(page.body.find("https://"), std::string::npos);
}

TEST_F(RestBuildTest, TheRootLeadsBrowsersToTheReference) {
  kit_.start();
  const std::string browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
  for (const char* method : {"GET", "HEAD"}) {
    Reply led = kit_.call(method, "/", {{"Accept", browser}});
    EXPECT_EQ(led.status, 302) << method;
    EXPECT_EQ(led.field("Location"), "/docs");
    EXPECT_THAT(led.field("Vary"), HasSubstr("Accept"));
  }
  for (const char* accept : {"*/*", "application/json", "text/html;q=0.5, application/json"}) {
    Reply problem = kit_.call("GET", "/", {{"Accept", accept}});
    EXPECT_EQ(problem.status, 404) << accept;
    EXPECT_THAT(problem.body, AllOf(HasSubstr("\"not_found\""), HasSubstr("/docs"))) << accept;
    EXPECT_THAT(problem.field("Vary"), HasSubstr("Accept"));
  }
  EXPECT_EQ(kit_.call("POST", "/").status, 404);
  Reply slash = kit_.call("GET", "/docs/");
  EXPECT_EQ(slash.status, 302);
  EXPECT_EQ(slash.field("Location"), "/docs");
  EXPECT_EQ(kit_.call("GET", "/docs/x").status, 404);
}

TEST_F(RestBuildTest, TheRootBelongsToTheApplicationThatHasOne) {
  std::vector<Api> apis;
  apis.push_back(Api("t", "").pure<&Things::hello>("hello", things_, get("/"), open_to_all()));
  auto made = kit_.make(std::move(apis));
  ASSERT_TRUE(made) << made.error().detail();
  kit_.rest = std::move(*made);
  EXPECT_EQ(kit_.call("GET", "/", {{"Accept", "text/html, */*;q=0.8"}}).status, 200);
}

TEST_F(RestBuildTest, WithoutTheReferenceTheRootIsNothing) {
  kit_.parts.rest.docs = false;
  kit_.start();
  for (const char* path : {"/", "/docs/", "/docs"}) {
    Reply problem = kit_.call("GET", path, {{"Accept", "text/html"}});
    EXPECT_EQ(problem.status, 404) << path;
    EXPECT_THAT(problem.body, Not(HasSubstr("described at")));
  }
}

}  // namespace
}  // namespace bedplate::api
