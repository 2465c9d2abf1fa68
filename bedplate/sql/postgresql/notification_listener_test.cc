// SPDX-License-Identifier: Apache-2.0
#include "bedplate/sql/postgresql/notification_listener.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bedplate/async/loop.h"
#include "bedplate/sql/database.h"
#include "tests/servers/postgresql_server.h"

namespace bedplate::sql {
namespace {

using bedplate::testing::PostgresDatabase;
using bedplate::testing::PostgresServer;

class Heard final : public PostgresqlNotificationListener::Hearer {
 public:
  void on_notification(std::string_view channel, std::string_view payload) override {
    add(std::string(channel) + ":" + std::string(payload));
  }
  void on_gap() override { add("gap"); }
  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, bedplate::testing::kPatience, [&] { return all_.size() >= count; });
    return all_;
  }

 private:
  void add(std::string what) {
    std::lock_guard lock(mutex_);
    all_.push_back(std::move(what));
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> all_;
};

Async<void> say(Transaction& tx, std::string_view what, bool then_fail) {
  co_await ok(tx.maybe<std::int64_t>("SELECT 1::bigint FROM pg_notify('news', $1)", what));
  if (then_fail) co_await fail(Category::conflict, "no", "No.");
}

TEST(PostgresqlNotificationListener, HearsWhatIsCommittedAndListensAgainAfterAnOutage) {
  PostgresServer server;
  PostgresDatabase place = server.create_database();
  PostgresqlOptions options;
  options.url = place.url();
  Heard heard;
  auto listener = std::move(*PostgresqlNotificationListener::start(options, {"news", "Other"}, heard));
  EXPECT_EQ(heard.wait_for(1), (std::vector<std::string>{"gap"}));
  {
    Loop loop;
    auto database = std::move(*open_postgresql(options));
    ASSERT_TRUE(run_to_end(loop, database->transact(&say, std::string_view("one"), false)));
    EXPECT_FALSE(run_to_end(loop, database->transact(&say, std::string_view("undone"), true)));
    database->close();
  }
  place.rows("NOTIFY \"Other\", 'two'");
  EXPECT_EQ(heard.wait_for(3), (std::vector<std::string>{"gap", "news:one", "Other:two"}));
  server.restart();
  // Once, or more often on a machine where what has just been connected is lost again.
  EXPECT_EQ(heard.wait_for(4).back(), "gap");
  EXPECT_TRUE(bedplate::testing::wait_until([&] {
    place.rows("NOTIFY news, 'three'");
    return heard.wait_for(5).back() == "news:three";
  }));
  listener->stop();
}

TEST(PostgresqlNotificationListener, RefusesWhatCannotWork) {
  Heard heard;
  PostgresqlOptions options;
  EXPECT_EQ(PostgresqlNotificationListener::start(options, {"a\"; DROP"}, heard).error().code(),
            "listen_channel");
  options.transaction_pooler = true;
  EXPECT_EQ(PostgresqlNotificationListener::start(options, {"news"}, heard).error().code(), "listen_pooler");
}

}  // namespace
}  // namespace bedplate::sql
