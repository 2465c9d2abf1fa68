#include "bedplate/auth/password.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bedplate/async/loop.h"

namespace bedplate::auth {
namespace {

class PasswordTest : public testing::Test {
 protected:
  Loop loop_;
  PasswordHasher hasher_{PasswordCost::worthless_for_tests(), {}};
};

TEST_F(PasswordTest, KnowsAPasswordAgain) {
  std::string stored = *run_to_end(loop_, hasher_.hash("correct horse"));
  EXPECT_TRUE(stored.starts_with("$argon2id$v=19$")) << stored;
  EXPECT_TRUE(*run_to_end(loop_, hasher_.verify(stored, "correct horse")));
  EXPECT_FALSE(*run_to_end(loop_, hasher_.verify(stored, "correct hors")));
  EXPECT_FALSE(*run_to_end(loop_, hasher_.verify(stored, "")));
  EXPECT_NE(stored, *run_to_end(loop_, hasher_.hash("correct horse")));
}

TEST_F(PasswordTest, ABytePastZeroCounts) {
  using namespace std::string_literals;
  const std::string password = "before\0after"s;
  std::string stored = *run_to_end(loop_, hasher_.hash(password));
  EXPECT_FALSE(*run_to_end(loop_, hasher_.verify(stored, "before")));
}

TEST_F(PasswordTest, NobodysPasswordCostsARunLikeAnyOther) {
  std::string stored = *run_to_end(loop_, hasher_.hash("x"));
  const std::uint64_t before = hasher_.runs();
  EXPECT_FALSE(*run_to_end(loop_, hasher_.verify(stored, "y")));
  EXPECT_EQ(hasher_.runs(), before + 1);
  EXPECT_TRUE(run_to_end(loop_, hasher_.verify_nothing("y")));
  EXPECT_EQ(hasher_.runs(), before + 2);
}

TEST_F(PasswordTest, RubbishInTheDatabaseMatchesNothing) {
  for (std::string stored :
       {std::string(), std::string("plain"), std::string("$argon2id$"), std::string(500, '$')})
    EXPECT_FALSE(*run_to_end(loop_, hasher_.verify(stored, "plain"))) << stored;
}

TEST_F(PasswordTest, AnotherCostAsksForANewHash) {
  std::string stored = *run_to_end(loop_, hasher_.hash("x"));
  EXPECT_FALSE(hasher_.needs_rehash(stored));
  PasswordHasher stronger(PasswordCost(0, 0), {});  // brought up to the least that is allowed
  EXPECT_TRUE(stronger.needs_rehash(stored));
  EXPECT_TRUE(*run_to_end(loop_, stronger.verify(stored, "x")));
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

Async<void> hash_into(PasswordHasher& hasher, Result<std::string>& answer, int& waiting) {
  answer = co_await hasher.hash("x");
  if (--waiting == 0) Loop::current()->stop();
}

TEST(PasswordPool, AFullQueueSaysSo) {
  Loop loop;
  PasswordHasher hasher(PasswordCost(), {.threads = 1, .queue_max = 1});
  std::vector<Result<std::string>> answers(4);
  int waiting = 4;
  for (auto& answer : answers) loop.spawn(hash_into(hasher, answer, waiting));
  loop.run();
  int busy = 0;
  for (auto& answer : answers) {
    if (answer) continue;
    EXPECT_EQ(answer.error().category(), Category::unavailable);
    ++busy;
  }
  EXPECT_GE(busy, 1);
  EXPECT_LE(busy, 3);
}

}  // namespace
}  // namespace bedplate::auth
