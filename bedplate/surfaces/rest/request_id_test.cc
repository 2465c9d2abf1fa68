// SPDX-License-Identifier: Apache-2.0
#include "bedplate/surfaces/rest/request_id.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace bedplate::api {
namespace {

TEST(RequestIdTest, MakesUniqueIds) {
  std::set<std::string> seen;
  RequestId id;
  for (int i = 0; i < 1000; ++i) {
    id.make();
    EXPECT_TRUE(RequestId::fit(id.view()));
    EXPECT_TRUE(seen.emplace(id.view()).second);
  }
}

TEST(RequestIdTest, TakesOnlyWhatMayEnterALog) {
  RequestId id;
  id.take("client-0001");
  EXPECT_EQ(id.view(), "client-0001");
  for (std::string bad :
       {std::string(), std::string("short"), std::string(65, 'a'), std::string("has space in"),
        std::string("line\nbreak"), std::string("quote\"quote"), std::string("umlaut-\xc3\xa4")}) {
    id.take(bad);
    EXPECT_NE(id.view(), bad);
    EXPECT_EQ(id.view().size(), 24u);
  }
}

}  // namespace
}  // namespace bedplate::api
