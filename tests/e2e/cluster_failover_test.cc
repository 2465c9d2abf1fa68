// SPDX-License-Identifier: Apache-2.0
// A Redis Cluster that loses a master while its cache and its locks are in use: reads miss and never fail, locks say
// so, and all goes on when a replica has taken over, without anybody being started anew.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <tuple>

#include "bedplate/async/timer.h"
#include "bedplate/cache/lock.h"
#include "bedplate/cache/region.h"
#include "bedplate/cache/two_level_cache.h"
#include "tests/kits/redis_kit.h"
#include "tests/servers/redis_server.h"

namespace bedplate::cache {
namespace {

using namespace std::chrono_literals;
using testing::wait_until;

constexpr std::size_t kVictim = 0;  // also the node that the URL names

/// Says the id.
class Ids final : public Loader<std::string> {
 public:
  Async<std::optional<std::string>> load(Partition, std::string id) override { co_return id; }
};

class ClusterFailover : public ::testing::Test {
 protected:
  ClusterFailover() : replica_(cluster_.replica_of(kVictim)) {
    redis::Options options = *redis::Options::from_url(cluster_.url(kVictim));
    options.call_timeout = options.connect_timeout = 10s;  // nothing hangs here
    client_ = std::move(*redis::Client::make(std::move(options)));
    redis_ = std::make_unique<RedisCache>(*client_);
    loading_ = std::make_unique<LoadingCache>(*redis_);
    region_ = std::make_unique<Region<std::string>>(*loading_, "id", Policy(), ids_);
    locks_ = std::make_unique<RedisLocks>(*client_);
  }
  ~ClusterFailover() override {
    over_ = true;
    EXPECT_TRUE(wait_until([this] { return running_ == 0; })) << "callers still run";
    loading_->close();
    client_->close();
  }

  /// Keys of every node, from both loops.
  void start_load() {
    for (std::size_t i = 0; i < 8; ++i) {
      ++running_;
      loops_.loop(i % 2).spawn(use(*this, static_cast<int>(i)));
    }
  }
  static Async<void> use(ClusterFailover& test, int caller) {
    for (int turn = 0; !test.over_; ++turn) {
      const std::string id = std::to_string(caller) + "-" + std::to_string(turn % 40);
      Result<std::optional<std::string>> found = co_await test.region_->get_or_load(Partition::shared(), id);
      if (!found || !*found || **found != id) ++test.reads_failed_;
      ++test.reads_;
      Result<void> forgotten = co_await test.region_->invalidate(Partition::shared(), id);
      if (!forgotten) ++test.reads_failed_;
      std::ignore = co_await test.lock(id);
    }
    --test.running_;
  }
  Async<void> lock(std::string name) {
    Result<Lock> lock = co_await locks_->acquire(name, 1min);
    if (lock) {
      ++locked_;
      std::ignore = co_await locks_->release(*lock);
      co_return;
    }
    // `locked`: released while its node was away, so its time must end it.
    const std::string& code = lock.error().code();
    if (code != "cache_unavailable" && code != "cache_timeout" && code != "locked") ++locks_unclear_;
    ++refused_;
    co_await ok(sleep_for(1ms));
  }
  bool some_more(std::atomic<int>& counter, int more = 200) {
    const int before = counter;
    return wait_until([&] { return counter >= before + more; });
  }
  /// The first loop does: it has read the map of slots, and is connected to each of them.
  bool knows_the_masters() {
    redis::Command get("GET", "probe");
    return loops_.wait_for(client_->call(std::move(get)), 0) && client_->stats().connected == 3;
  }
  bool every_node_answers() {
    for (int i = 0; i < 60; ++i)
      for (std::size_t loop : {0u, 1u}) {
        redis::Command get("GET", "probe" + std::to_string(i));
        if (!loops_.wait_for(client_->call(std::move(get)), loop)) return false;
      }
    return true;
  }

  testing::RedisCluster cluster_;
  std::unique_ptr<testing::RedisServer> replica_;
  redis::RunningLoops loops_{2};
  Ids ids_;
  std::unique_ptr<redis::Client> client_;
  std::unique_ptr<RedisCache> redis_;
  std::unique_ptr<LoadingCache> loading_;
  std::unique_ptr<Region<std::string>> region_;
  std::unique_ptr<RedisLocks> locks_;
  std::atomic<bool> over_{false};
  std::atomic<int> running_{0};
  std::atomic<int> reads_{0};
  std::atomic<int> reads_failed_{0};
  std::atomic<int> locked_{0};
  std::atomic<int> refused_{0};
  std::atomic<int> locks_unclear_{0};
};

TEST_F(ClusterFailover, UnderLoadNoReadFailsAndAllNodesAnswerAgain) {
  start_load();
  ASSERT_TRUE(some_more(reads_));
  ASSERT_TRUE(some_more(locked_));
  EXPECT_TRUE(every_node_answers());

  cluster_.node(kVictim).kill();
  ASSERT_TRUE(some_more(refused_, 5)) << "locks of its slots say that it is away";
  ASSERT_TRUE(some_more(reads_)) << "reads go on";
  ASSERT_TRUE(some_more(locked_)) << "so do locks of other slots";
  cluster_.promote(*replica_, "TAKEOVER");
  EXPECT_TRUE(wait_until([this] { return every_node_answers(); })) << "without a restart of ours";
  ASSERT_TRUE(some_more(locked_));

  // The old master comes back as a replica, and is made master again while both are there.
  cluster_.node(kVictim).start();
  EXPECT_TRUE(wait_until([this] {
    testing::RedisServer& back = cluster_.node(kVictim);
    return back.command({"INFO", "replication"}).contains("master_link_status:up") &&
           !back.command({"CLUSTER", "NODES"}).contains("disconnected");
  }));
  cluster_.promote(cluster_.node(kVictim));
  ASSERT_TRUE(some_more(locked_));
  EXPECT_TRUE(wait_until([this] { return every_node_answers(); }));

  EXPECT_EQ(reads_failed_, 0);
  EXPECT_EQ(locks_unclear_, 0);
  EXPECT_GT(client_->stats().redirections, 0u);
}

/// What this process hears.
class Erased final : public InvalidationListener {
 public:
  void on_invalidated(std::string_view key) override {
    if (!key.empty()) ++erased;
  }
  std::atomic<int> erased{0};
};

// The node that the URL names is gone for good. A loop that has not asked for anything before has no connection, and
// messages came from that node.
TEST_F(ClusterFailover, LateLoopsAndMessagesFindTheOtherNodes) {
  TwoLevelCache two_level(*client_, *redis_);
  Erased heard;
  two_level.set_listener(&heard);
  two_level.start(loops_.loop());
  ASSERT_TRUE(wait_until([&] { return knows_the_masters() && two_level.hears(); }));
  cluster_.node(kVictim).kill();
  cluster_.promote(*replica_, "TAKEOVER");
  EXPECT_TRUE(wait_until([this] { return every_node_answers(); }));
  redis::Options options = *redis::Options::from_url(cluster_.url(1));
  options.call_timeout = options.connect_timeout = 10s;
  auto other_client = std::move(*redis::Client::make(std::move(options)));
  RedisCache other(*other_client);
  // Again and again, for what is said while it looks for another node is lost.
  EXPECT_TRUE(wait_until([&] {
    EXPECT_TRUE(loops_.wait_for(other.erase("something")));
    return heard.erased > 0;
  }));
  other_client->close();
  two_level.close();
}

}  // namespace
}  // namespace bedplate::cache
