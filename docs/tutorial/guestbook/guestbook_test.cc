// SPDX-License-Identifier: Apache-2.0
#include "guestbook.h"

#include <gtest/gtest.h>

#include <chrono>

#include "bedplate/testing/http.h"
#include "bedplate/testing/test_app.h"

namespace guestbook {
namespace {

using bedplate::testing::HttpConnection;
using bedplate::testing::HttpResponse;
using bedplate::testing::TestApp;

TEST(GuestbookTest, TheNewestEntryComesFirst) {
  TestApp app(guestbook_module());
  HttpConnection http(app.url());
  EXPECT_EQ(http.post("/v1/entries", R"({"name": "Ada", "message": "First!"})").status, 201);
  app.clock().advance(std::chrono::minutes(1));
  EXPECT_EQ(http.post("/v1/entries", R"({"name": "Grace", "message": "Second."})").status, 201);

  HttpResponse list = http.get("/v1/entries");
  EXPECT_EQ(list.status, 200);
  EXPECT_LT(list.body.find("Grace"), list.body.find("Ada"));
  EXPECT_NE(list.body.find(R"("total":2)"), std::string::npos) << list.body;
}

TEST(GuestbookTest, AnEntryWithoutANameIsRefused) {
  TestApp app(guestbook_module());
  HttpConnection http(app.url());
  HttpResponse answer = http.post("/v1/entries", R"({"name": "", "message": "Guess who"})");
  EXPECT_EQ(answer.status, 422);
  EXPECT_NE(answer.body.find(R"("pointer":"/name")"), std::string::npos) << answer.body;
  EXPECT_NE(http.get("/v1/entries").body.find(R"("total":0)"), std::string::npos);
}

TEST(GuestbookTest, AHomepageIsTheAddressOfAWebPage) {
  TestApp app(guestbook_module());
  HttpConnection http(app.url());
  HttpResponse answer = http.post(
      "/v1/entries", "{\"name\": \" \", \"message\": \"Hi\", \"homepage\": \"javascript:alert(1)\"}");
  EXPECT_EQ(answer.status, 422);
  EXPECT_NE(answer.body.find(R"("pointer":"/homepage","code":"format")"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find(R"("pointer":"/name","code":"blank")"), std::string::npos) << answer.body;
}

TEST(GuestbookTest, AnUnknownEntryIsNotFound) {
  TestApp app(guestbook_module());
  HttpConnection http(app.url());
  HttpResponse answer = http.get("/v1/entries/019aa5b8-3c00-7d2e-9c44-0a6b3f1d2e5c");
  EXPECT_EQ(answer.status, 404);
  EXPECT_NE(answer.body.find("entry_not_found"), std::string::npos) << answer.body;
}

}  // namespace
}  // namespace guestbook
