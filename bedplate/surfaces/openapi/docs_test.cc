// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/openapi/docs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "bedplate/async/loop.h"
#include "bedplate/http/message/message.h"

namespace bedplate::api {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string text_of(DocsPage& page) {
  http::Request request;
  http::Response response;
  http::Request::Parts parts;
  parts.method = "GET";
  parts.target = page.route.path;
  EXPECT_TRUE(request.assign(parts));
  Loop loop;
  EXPECT_TRUE(run_to_end(loop, page.handler->handle(request, response)));
  EXPECT_EQ(response.status(), 200);
  return response.static_body().empty() ? response.body().to_string() : std::string(response.static_body());
}

TEST(DocsTest, WithoutTheUiThePageSaysSoAndLinksTheDocument) {
  std::vector<DocsPage> pages = docs_pages({});
  ASSERT_EQ(pages.size(), 1u);
  EXPECT_EQ(pages[0].route.path, "/docs");
  std::string page = text_of(pages[0]);
  EXPECT_THAT(page, HasSubstr("The interactive reference is not in this build"));
  EXPECT_THAT(page, HasSubstr("href=\"openapi.json\""));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
}

TEST(DocsTest, EverythingThatThePageAsksForIsServedFromHere) {
  const EmbeddedFile ui[] = {{"swagger-ui-bundle.js", "let ui;"}, {"swagger-ui.css", "a {}"}};
  std::vector<DocsPage> pages = docs_pages(ui);
  std::set<std::string> served;
  for (const DocsPage& page : pages) served.emplace(page.route.path);
  std::string page = text_of(pages.at(0));
  int links = 0;
  for (const std::string attribute : {"src=\"", "href=\""}) {
    for (std::size_t at = page.find(attribute); at != std::string::npos; at = page.find(attribute, at)) {
      at += attribute.size();
      std::string target = page.substr(at, page.find('"', at) - at);
      if (target == "openapi.json") continue;
      EXPECT_TRUE(served.contains("/" + target)) << target;
      ++links;
    }
  }
  EXPECT_GE(links, 5);
  // Swagger UI's style is asked for by ours, in a layer.
  EXPECT_TRUE(served.contains("/docs/swagger-ui.css"));
  const auto style =
      std::ranges::find(pages, "/docs/reference.css", [](const DocsPage& p) { return p.route.path; });
  ASSERT_NE(style, pages.end());
  EXPECT_THAT(text_of(*style), HasSubstr("@import url(\"swagger-ui.css\") layer(swagger);"));
}

}  // namespace
}  // namespace bedplate::api
