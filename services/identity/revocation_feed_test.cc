// SPDX-License-Identifier: Apache-2.0
#include "services/identity/revocation_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bedplate/async/timer.h"
#include "tests/kits/identity_kit.h"

namespace bedplate::identity {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Keeps what is said instead of sending it.
class KeptNotifier final : public cache::ChangeNotifier {
 public:
  void listen(std::string topic, std::function<void()>) override { listened.push_back(std::move(topic)); }
  void notify(std::string_view topic) override { notified.emplace_back(topic); }

  std::vector<std::string> listened;
  std::vector<std::string> notified;
};

class RevocationFeedTest : public fixture::IdentityTest {
 protected:
  /// What the command line does beside a server: the tokens of the user's first generation are refused.
  void revoke(UserId user) {
    const Time until = clock_.now() + 600s;
    ASSERT_TRUE(run(db_->transact(&store::revoke_generations, user, std::int64_t{2}, until)));
  }
  bool refused(UserId user) const {
    auth::Principal principal;
    principal.user = user;
    principal.generation = 1;
    return revocations_.revoked(principal);
  }

  auth::Revocations revocations_;
  RevocationFeed feed_{revocations_, clock_, 60s};
};

TEST_P(RevocationFeedTest, ReadsEachRowOnce) {
  const UserId ada = new_id<UserId>();
  const UserId grace = new_id<UserId>();
  revoke(ada);
  ASSERT_TRUE(run(feed_.read(*db_)));
  EXPECT_TRUE(refused(ada));
  EXPECT_FALSE(refused(grace));
  const std::uint64_t epoch = revocations_.epoch();
  ASSERT_TRUE(run(feed_.read(*db_)));
  EXPECT_EQ(revocations_.epoch(), epoch);
  revoke(grace);
  ASSERT_TRUE(run(feed_.read(*db_)));
  EXPECT_TRUE(refused(grace));
}

TEST_P(RevocationFeedTest, TellsOthersOnlyOfWhatIsNew) {
  KeptNotifier notifier;
  feed_.tell_others_through(notifier);
  EXPECT_THAT(notifier.listened, ElementsAre("identity:revocations"));
  ASSERT_TRUE(run(feed_.apply(*db_)));
  EXPECT_THAT(notifier.notified, IsEmpty());
  revoke(new_id<UserId>());
  ASSERT_TRUE(run(feed_.apply(*db_)));
  EXPECT_THAT(notifier.notified, ElementsAre("identity:revocations"));
}

TEST_P(RevocationFeedTest, ARunningServerNoticesByItself) {
  const UserId ada = new_id<UserId>();
  Scope scope;
  loop_.spawn(
      [](RevocationFeed& feed, sql::Database& db) -> Async<void> {
        std::ignore = co_await feed.keep_current(db);
        Loop::current()->stop();
      }(feed_, *db_),
      &scope);
  revoke(ada);
  const auto until = std::chrono::steady_clock::now() + testing::kPatience;
  while (!refused(ada) && std::chrono::steady_clock::now() < until) {
    CoarseTimer stop(loop_, [](CoarseTimer& timer) { timer.loop().stop(); });
    stop.arm(50ms);
    loop_.run();
  }
  EXPECT_TRUE(refused(ada));
  loop_.post_callable([&] { scope.cancel(Category::cancelled); });
  loop_.run();
}

INSTANTIATE_TEST_SUITE_P(Engines, RevocationFeedTest, testing::every_engine(), testing::engine_name);

}  // namespace
}  // namespace bedplate::identity
