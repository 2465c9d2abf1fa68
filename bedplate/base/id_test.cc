// SPDX-License-Identifier: Apache-2.0
#include "bedplate/base/id.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>
#include <type_traits>
#include <unordered_set>
#include <vector>

#include "bedplate/base/text.h"

namespace bedplate {
namespace {

struct Task;
struct User;
using TaskId = Id<Task>;
using UserId = Id<User>;

static_assert(!std::is_convertible_v<TaskId, UserId>);
static_assert(!std::is_constructible_v<TaskId, int>);
static_assert(sizeof(TaskId) == 16);

std::uint64_t milliseconds_in(const Uuid& uuid) {
  std::uint64_t milliseconds = 0;
  for (int i = 0; i < 6; ++i) milliseconds = milliseconds << 8U | uuid.bytes[static_cast<std::size_t>(i)];
  return milliseconds;
}

TEST(Uuid, IsVersionSevenOfNow) {
  using std::chrono::system_clock;
  const auto now = [] {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(system_clock::now().time_since_epoch())
            .count());
  };
  const std::uint64_t before = now();
  const Uuid uuid = new_uuid();
  EXPECT_EQ(uuid.bytes[6] >> 4, 7);
  EXPECT_EQ(uuid.bytes[8] >> 6, 2);
  EXPECT_GE(milliseconds_in(uuid), before);
  EXPECT_LE(milliseconds_in(uuid), now() + 1);
}

TEST(Uuid, OnesMadeByAThreadAreInOrder) {
  // Far more than the counter holds, so the time in the id has to run ahead.
  std::vector<Uuid> made(100'000);
  for (Uuid& uuid : made) uuid = new_uuid();
  EXPECT_EQ(std::adjacent_find(made.begin(), made.end(), [](auto& a, auto& b) { return !(a < b); }),
            made.end());
  EXPECT_TRUE(std::is_sorted(made.begin(), made.end(),
                             [](auto& a, auto& b) { return a.to_string() < b.to_string(); }));
}

TEST(Uuid, OnesMadeByManyThreadsDiffer) {
  constexpr std::size_t kEach = 20'000;
  std::vector<std::vector<Uuid>> made(4);
  {
    std::vector<std::jthread> threads;
    for (auto& mine : made) {
      threads.emplace_back([&mine] {
        for (std::size_t i = 0; i < kEach; ++i) mine.push_back(new_uuid());
      });
    }
  }
  std::unordered_set<Uuid> all;
  for (const auto& mine : made) all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), made.size() * kEach);
}

RC_GTEST_PROP(Uuid, TextComesBack, (const std::array<std::uint8_t, 16>& bytes)) {
  const Uuid uuid{bytes};
  const std::string text = uuid.to_string();
  RC_ASSERT(text.size() == 36U);
  RC_ASSERT(Uuid::parse(text) == uuid);
  RC_ASSERT(Uuid::parse(to_upper(text)) == uuid);
}

TEST(Uuid, ReadsOnlyTheCanonicalForm) {
  const std::string good = "0189f7a0-1234-7abc-8def-0123456789ab";
  ASSERT_TRUE(Uuid::parse(good));
  EXPECT_EQ(Uuid::parse(good)->to_string(), good);
  // Every single byte replaced by one that may not stand there.
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char bad :
         {'g', ' ', '\0', '{', '/', ':', '@', '`', 'G', '\xFF', good[i] == '-' ? '0' : '-'}) {
      std::string text = good;
      text[i] = bad;
      EXPECT_FALSE(Uuid::parse(text)) << text;
    }
  }
  for (const std::string& text : {std::string(), good.substr(1), good + "0", "{" + good + "}",
                                  "urn:uuid:" + good, std::string("0189f7a012347abc8def0123456789ab")}) {
    EXPECT_FALSE(Uuid::parse(text)) << text;
  }
}

TEST(Uuid, Nil) {
  EXPECT_TRUE(Uuid{}.is_nil());
  EXPECT_FALSE(new_uuid().is_nil());
  EXPECT_EQ(Uuid{}.to_string(), "00000000-0000-0000-0000-000000000000");
}

TEST(Id, KeysMaps) {
  const auto a = new_id<TaskId>();
  const auto b = new_id<TaskId>();
  const std::unordered_set<TaskId> hashed{a, b};
  const std::set<TaskId> ordered{b, a};
  EXPECT_TRUE(hashed.contains(a));
  EXPECT_EQ(*ordered.begin(), a);
}

}  // namespace
}  // namespace bedplate
