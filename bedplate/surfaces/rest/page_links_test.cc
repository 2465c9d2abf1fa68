// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/page_links.h"

#include <gtest/gtest.h>

namespace bedplate::api {
namespace {

TEST(PageLinksTest, LinksByPage) {
  Pagination pagination{
      .total = 45, .page = 2, .limit = 20, .total_pages = 3, .has_next = true, .has_previous = true};
  PageLinks links;
  fill_links({links, pagination}, "/v1/things", "label=a%20b&page=2&limit=20");
  EXPECT_EQ(links.self, "/v1/things?label=a%20b&page=2&limit=20");
  EXPECT_EQ(links.first, "/v1/things?label=a%20b&limit=20&page=1");
  EXPECT_EQ(links.next, "/v1/things?label=a%20b&limit=20&page=3");
  EXPECT_EQ(links.previous, "/v1/things?label=a%20b&limit=20&page=1");
  EXPECT_EQ(links.last, "/v1/things?label=a%20b&limit=20&page=3");
}

TEST(PageLinksTest, LinksBeyondTheEndLeadBack) {
  Pagination pagination{.total = 5, .page = 99, .limit = 20, .total_pages = 1, .has_previous = true};
  PageLinks links;
  fill_links({links, pagination}, "/t", "page=99");
  EXPECT_EQ(links.previous, "/t?page=1");
  EXPECT_FALSE(links.next);
}

TEST(PageLinksTest, WherePagesByNumberEndTheNextIsByCursor) {
  Pagination pagination{.total = 1000,
                        .total_is_exact = false,
                        .page = 50,
                        .limit = 20,
                        .has_next = true,
                        .has_previous = true,
                        .next_cursor = "abc",
                        .next_by_cursor = true};
  PageLinks links;
  fill_links({links, pagination}, "/t", "page=50");
  EXPECT_EQ(links.next, "/t?cursor=abc");
  EXPECT_EQ(links.previous, "/t?page=49");
  EXPECT_FALSE(links.last);
}

TEST(PageLinksTest, LinksByCursor) {
  Pagination pagination{.limit = 20, .has_next = true, .has_previous = true, .next_cursor = "abc"};
  PageLinks links;
  fill_links({links, pagination}, "/t", "cursor=old&limit=20");
  EXPECT_EQ(links.first, "/t?limit=20&page=1");
  EXPECT_EQ(links.next, "/t?limit=20&cursor=abc");
  EXPECT_FALSE(links.last);
  EXPECT_FALSE(links.previous);
}

}  // namespace
}  // namespace bedplate::api
