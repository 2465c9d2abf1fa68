// SPDX-License-Identifier: Apache-2.0
#include "bedplate/redis/subscriber.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "tests/kits/redis_kit.h"
#include "tests/servers/redis_server.h"

namespace bedplate::redis {
namespace {

using namespace std::chrono_literals;

/// Keeps what it hears for the test's thread to wait for.
class Heard final : public Subscriber::Listener {
 public:
  void on_message(std::string_view channel, std::string_view message) override {
    add(std::string(channel) + ":" + std::string(message));
  }
  void on_subscribed() override { add("subscribed"); }

  std::string next() {
    std::unique_lock lock(mutex_);
    if (!more_.wait_for(lock, testing::kPatience, [&] { return read_ < heard_.size(); })) return "nothing";
    return heard_[read_++];
  }

 private:
  void add(std::string what) {
    std::lock_guard lock(mutex_);
    heard_.push_back(std::move(what));
    more_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable more_;
  std::vector<std::string> heard_;
  std::size_t read_ = 0;
};

TEST(RedisSubscriber, HearsItsChannelsAndSaysWhenItMayHaveMissedSomething) {
  testing::RedisServer server;
  RunningLoops loops;
  Heard heard;
  Options options = *Options::from_url(server.url());
  options.connect_timeout = testing::kPatience;
  options.backoff_max = 20ms;
  std::shared_ptr<Dialer> dialer = *Dialer::make(options);
  std::shared_ptr<Subscriber> subscriber =
      loops.loop().call([&] { return Subscriber::start(loops.loop(), dialer, {"a", "b"}, heard); });
  EXPECT_EQ(heard.next(), "subscribed");
  // Asked on its loop: it is said once the listener has returned.
  EXPECT_TRUE(loops.loop().call([&] { return subscriber->subscribed(); }));
  server.command({"PUBLISH", "c", "not for us"});
  server.command({"PUBLISH", "b", "one"});
  server.command({"PUBLISH", "a", "two\r\n"});
  EXPECT_EQ(heard.next(), "b:one");
  EXPECT_EQ(heard.next(), "a:two\r\n");
  server.kill();
  server.start();
  EXPECT_EQ(heard.next(), "subscribed");
  server.command({"PUBLISH", "a", "three"});
  EXPECT_EQ(heard.next(), "a:three");
  loops.loop().call([&] {
    subscriber->close();
    EXPECT_FALSE(subscriber->subscribed());
    subscriber.reset();
  });
  server.command({"PUBLISH", "a", "four"});
}

}  // namespace
}  // namespace bedplate::redis
