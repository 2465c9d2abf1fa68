// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/result.h"

#include <gtest/gtest.h>

#include <utility>

namespace bedplate {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return fail(Category::invalid, "odd", "The number is odd.");
  return n / 2;
}

TEST(Result, CarriesAValueOrAnError) {
  EXPECT_EQ(half(4), 2);
  const auto odd = half(3);
  ASSERT_FALSE(odd);
  EXPECT_EQ(odd.error().category(), Category::invalid);
  EXPECT_EQ(odd.error().code(), "odd");
  EXPECT_EQ(odd.error().detail(), "The number is odd.");
  EXPECT_FALSE(odd.error().keeps_writes());
}

TEST(ErrorCode, IsAnsweredAsItWasDeclared) {
  constexpr ErrorCode kTaskNotFound{Category::not_found, "task_not_found", "There is no such task."};
  const Result<int> missing = fail(kTaskNotFound);
  EXPECT_EQ(missing.error().category(), Category::not_found);
  EXPECT_EQ(missing.error().code(), "task_not_found");
  EXPECT_EQ(missing.error().detail(), "There is no such task.");
  const Result<int> more = fail(kTaskNotFound, "There is no task 7.");
  EXPECT_EQ(more.error().code(), "task_not_found");
  EXPECT_EQ(more.error().detail(), "There is no task 7.");
}

TEST(Error, ClonesAllOfIt) {
  const Error error = Error(Category::rate_limited, "slow_down", "Too many requests.")
                          .with_faults({{"/a", "required", "Must be there."}}, true)
                          .with_retry_after(std::chrono::seconds{7});
  const Error copy = error.clone();
  EXPECT_EQ(copy.category(), Category::rate_limited);
  EXPECT_EQ(copy.code(), "slow_down");
  ASSERT_EQ(copy.faults().size(), 1U);
  EXPECT_EQ(copy.faults()[0].pointer, "/a");
  EXPECT_TRUE(copy.more_faults());
  EXPECT_EQ(copy.retry_after(), std::chrono::seconds{7});
}

TEST(Error, KeepsWritesOnlyWhenItSaysSo) {
  const Result<int> refused = refuse_and_commit(Error(Category::forbidden, "reused", "Used before."));
  EXPECT_TRUE(refused.error().keeps_writes());
  EXPECT_TRUE(refused.error().clone().keeps_writes());
  EXPECT_EQ(refused.error().code(), "reused");
  const Result<int> failed = fail(Category::forbidden, "reused", "Used before.");
  EXPECT_FALSE(failed.error().keeps_writes());
}

TEST(Error, HasAStatusForEveryCategory) {
  for (int i = 0; i <= static_cast<int>(Category::cancelled); ++i) {
    const int status = http_status(static_cast<Category>(i));
    EXPECT_GE(status, 400);
    EXPECT_LE(status, 504);
  }
  EXPECT_EQ(http_status(Category::invalid), 422);
  EXPECT_EQ(http_status(Category::internal), 500);
}

}  // namespace
}  // namespace bedplate
