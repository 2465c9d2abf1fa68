// SPDX-License-Identifier: Apache-2.0
#include "bedplate/auth/password.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

#include "bedplate/async/loop.h"

namespace bedplate::auth {
namespace {

class PasswordTest : public testing::Test {
 protected:
  std::string hashed(std::string_view password) {
    std::string stored;
    Result<std::string> result = run_to_end(loop_, hasher_.hash(password));
    if (result) stored = std::move(*result);
    return stored;
  }
  bool matches(PasswordHasher& hasher, std::string_view stored, std::string_view password) {
    Result<bool> result = run_to_end(loop_, hasher.verify(stored, password));
    EXPECT_TRUE(result);
    return result.value_or(false);
  }

  Loop loop_;
  PasswordHasher hasher_{PasswordCost::worthless_for_tests(), {}};
};

TEST_F(PasswordTest, KnowsAPasswordAgain) {
  std::string stored = hashed("correct horse");
  EXPECT_TRUE(stored.starts_with("$argon2id$v=19$")) << stored;
  EXPECT_TRUE(matches(hasher_, stored, "correct horse"));
  EXPECT_FALSE(matches(hasher_, stored, "correct hors"));
  EXPECT_FALSE(matches(hasher_, stored, ""));
  EXPECT_NE(stored, hashed("correct horse"));
}

TEST_F(PasswordTest, KnowsAPasswordAgainHoweverItIsTyped) {
  EXPECT_TRUE(matches(hasher_, hashed("p\u00e4ssw\u00f6rd 42"), "pa\u0308sswo\u0308rd\u00a042"));
  EXPECT_TRUE(matches(hasher_, hashed("pa\u0308sswo\u0308rd\u300042"), "p\u00e4ssw\u00f6rd 42"));
  EXPECT_FALSE(matches(hasher_, hashed("p\u00e4ssw\u00f6rd 42"), "passw\u00f6rd 42"));
}

TEST_F(PasswordTest, TextsThatCannotBePasswordsAreRefusedAndCostTheSame) {
  using namespace std::string_literals;
  for (const std::string& bad : {""s, "before\0after"s, "a\nb"s, "\xff"s}) {
    const std::uint64_t before = hasher_.runs();
    Result<std::string> stored = run_to_end(loop_, hasher_.hash(bad));
    ASSERT_FALSE(stored);
    EXPECT_EQ(stored.error().category(), Category::invalid);
    EXPECT_EQ(hasher_.runs(), before);
    EXPECT_FALSE(matches(hasher_, hashed("x"), bad));
    EXPECT_EQ(hasher_.runs(), before + 2) << "one to hash, one to compare";
  }
}

TEST_F(PasswordTest, NobodysPasswordCostsARunLikeAnyOther) {
  std::string stored = hashed("x");
  const std::uint64_t before = hasher_.runs();
  EXPECT_FALSE(matches(hasher_, stored, "y"));
  EXPECT_EQ(hasher_.runs(), before + 1);
  EXPECT_TRUE(run_to_end(loop_, hasher_.verify_nothing("y")));
  EXPECT_EQ(hasher_.runs(), before + 2);
}

TEST_F(PasswordTest, RubbishInTheDatabaseMatchesNothing) {
  for (std::string stored :
       {std::string(), std::string("plain"), std::string("$argon2id$"), std::string(500, '$')})
    EXPECT_FALSE(matches(hasher_, stored, "plain")) << stored;
}

TEST_F(PasswordTest, AnotherCostAsksForANewHash) {
  std::string stored = hashed("x");
  EXPECT_FALSE(hasher_.needs_rehash(stored));
  PasswordHasher stronger(PasswordCost(0, 0), {});  // brought up to the least that is allowed
  EXPECT_TRUE(stronger.needs_rehash(stored));
  EXPECT_TRUE(matches(stronger, stored, "x"));
}

TEST(PasswordCost, SettingsCannotMakeItWorthless) {
  PasswordCost low(1, 1);
  EXPECT_EQ(low.memory_kib(), PasswordCost::kMemoryKibMin);
  EXPECT_EQ(low.passes(), PasswordCost::kPassesMin);
}

/// At the cost that runs in production: the dummy hash must be one that libsodium takes the whole work for.
TEST(PasswordCost, TheDummyOfTheDefaultCostIsAWellFormedHash) {
  Loop loop;
  PasswordHasher hasher(PasswordCost(), {});
  auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(run_to_end(loop, hasher.verify_nothing("x")));
  EXPECT_GT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(5));
}

Async<void> hash_into(PasswordHasher& hasher, std::string& code, int& waiting) {
  Result<std::string> hashed = co_await hasher.hash("x");
  code = hashed ? "hashed" : hashed.error().code();
  if (--waiting == 0) Loop::current()->stop();
}

TEST(PasswordPool, AFullQueueSaysSo) {
  Loop loop;
  PasswordHasher hasher(PasswordCost(), {.threads = 1, .queue_max = 1});
  std::array<std::string, 20> codes;  // so many that the machine cannot stop the loop between each two
  int waiting = 20;
  for (std::string& code : codes) loop.spawn(hash_into(hasher, code, waiting));
  loop.run();
  const auto busy = std::count(codes.begin(), codes.end(), "busy");
  const auto hashed = std::count(codes.begin(), codes.end(), "hashed");
  EXPECT_EQ(busy + hashed, 20);
  EXPECT_GE(busy, 1);
  EXPECT_GE(hashed, 1);
}

}  // namespace
}  // namespace bedplate::auth
