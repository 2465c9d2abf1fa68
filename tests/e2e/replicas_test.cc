// SPDX-License-Identifier: Apache-2.0
// Two server processes on one PostgreSQL: what the one does, the other knows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <thread>

#include "server.h"
#include "tests/servers/postgresql_server.h"

namespace bedplate::e2e {
namespace {

using ::testing::HasSubstr;
using testing::PostgresDatabase;
using testing::PostgresSession;

/// Also counts only what is of this database: object ids are each database's own.
constexpr const char* kWaitsForTasks =
    "SELECT count(*) FROM pg_locks WHERE relation = 'tasks'::regclass AND NOT granted AND database = "
    "(SELECT oid FROM pg_database WHERE datname = current_database())";

class Replicas : public ::testing::Test {
 protected:
  /// They start at once, on a database without tables and without a key file.
  Replicas() {
    std::thread first([this] { first_ = start("one"); });
    std::thread second([this] { second_ = start("two"); });
    first.join();
    second.join();
  }

  std::unique_ptr<Server> start(const char* name) {
    return std::make_unique<Server>(
        directory_ / name,
        Server::Options{.listen = "127.0.0.1:0",
                        .settings = {"database.url=" + database_.url(), "rest.access_log=false",
                                     "identity.key_file=" + directory_ / "shared.key"}});
  }

  TempDir directory_;
  PostgresDatabase database_ = testing::shared_postgres().create_database();
  std::unique_ptr<Server> first_;
  std::unique_ptr<Server> second_;
};

TEST_F(Replicas, ShareUsersTasksAndKeys) {
  EXPECT_EQ(database_.count("SELECT count(*) FROM schema_migrations"), 9) << "each was applied once";
  User here(*first_, "ada@example.com");
  User there(*second_, "ada@example.com", here.tokens());
  const std::string id = here.create("Seen by both");
  EXPECT_EQ(there.call("GET", "/v1/tasks/" + id).status, 200);
  EXPECT_EQ(there.call("DELETE", "/v1/tasks/" + id).status, 204);
  EXPECT_EQ(here.call("GET", "/v1/tasks/" + id).status, 404);

  first_->kill();
  EXPECT_EQ(there.call("GET", "/v1/me").status, 200) << "one goes, the other serves on";
  first_ = start("one");
  User again(*first_, "ada@example.com", here.tokens());
  EXPECT_EQ(again.call("GET", "/v1/me").status, 200);
  EXPECT_EQ(first_->terminate().status, 0);
  EXPECT_EQ(second_->terminate().status, 0);
}

TEST_F(Replicas, OfOneIdempotencyKeyOnlyOneRequestRuns) {
  User here(*first_, "ada@example.com");
  User there(*second_, "ada@example.com", here.tokens());
  const HttpFields key = {{"Idempotency-Key", "only-once"}};
  const std::string body = R"({"title":"Only once"})";

  PostgresSession lock(database_.admin_url());
  lock.rows("BEGIN; LOCK TABLE tasks IN EXCLUSIVE MODE");
  std::future<HttpResponse> slow =
      std::async(std::launch::async, [&] { return here.call("POST", "/v1/tasks", body, key); });
  ASSERT_TRUE(wait_until([&] { return database_.count(kWaitsForTasks) == 1; }))
      << "the first holds its key and waits for the table";

  const HttpResponse refused = there.call("POST", "/v1/tasks", body, key);
  EXPECT_EQ(refused.status, 409) << refused.body;
  EXPECT_THAT(refused.body, HasSubstr("idempotency_key_in_use"));
  EXPECT_EQ(refused.field("Retry-After"), "1");

  lock.rows("COMMIT");
  const HttpResponse made = slow.get();
  EXPECT_EQ(made.status, 201) << made.body;
  const HttpResponse replayed = there.call("POST", "/v1/tasks", body, key);
  EXPECT_EQ(replayed.status, 201) << replayed.body;
  EXPECT_EQ(replayed.body, made.body);
  EXPECT_EQ(replayed.field("Idempotency-Replayed"), "true");
  EXPECT_EQ(database_.count("SELECT count(*) FROM tasks"), 1);
}

TEST_F(Replicas, OfManyChangesAtOnceNoneIsLost) {
  User ada(*first_, "ada@example.com");
  const std::string target = "/v1/tasks/" + ada.create("Changed by many");
  std::vector<std::thread> threads;
  std::atomic<int> changed = 0;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      User user(i % 2 == 0 ? *first_ : *second_, "ada@example.com", ada.tokens());
      for (int n = 0; n < 10; ++n) {
        const std::string body = R"({"title":"by )" + std::to_string(i) + "-" + std::to_string(n) + R"("})";
        HttpResponse response;
        wait_until([&] { return (response = user.call("PATCH", target, body)).status != 409; });
        EXPECT_EQ(response.status, 200) << response.body;
        changed += response.status == 200;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Json::parse(ada.call("GET", target).body)["version"].number(), changed + 1);
}

}  // namespace
}  // namespace bedplate::e2e
