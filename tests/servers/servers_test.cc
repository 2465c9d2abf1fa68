// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/servers/postgresql_server.h"
#include "tests/servers/redis_server.h"

namespace bedplate::testing {
namespace {

TEST(SharedPostgres, GivesEachTestADatabaseOfItsOwn) {
  PostgresDatabase first = shared_postgres().create_database();
  PostgresDatabase second = shared_postgres().create_database();
  EXPECT_NE(first.name(), second.name());
  run_sql(first.url(), "CREATE TABLE t(i int); INSERT INTO t VALUES (1)");
  EXPECT_EQ(first.count("SELECT count(*) FROM t"), 1);
  EXPECT_EQ(second.count("SELECT count(*) FROM pg_tables WHERE tablename = 't'"), 0);
}

TEST(SharedPostgres, DropsADatabaseWithItsObject) {
  std::string name, question;
  {
    PostgresDatabase database = shared_postgres().create_database();
    question = "SELECT 1 FROM pg_database WHERE datname = '" + database.name() + "'";
    EXPECT_EQ(run_sql(shared_postgres().admin_url(), question).size(), 1u);
  }
  EXPECT_EQ(run_sql(shared_postgres().admin_url(), question).size(), 0u);
}

TEST(SharedPostgres, LogsInAsARoleThatRowLevelSecurityBinds) {
  PostgresDatabase database = shared_postgres().create_database();
  EXPECT_EQ(
      run_sql(database.url(), "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"),
      (std::vector<std::string>{"f"}));
}

TEST(PostgresServer, KeepsWhatWasCommittedOverAKill) {
  PostgresServer server({.durable = true});
  PostgresDatabase database = server.create_database();
  run_sql(database.url(), "CREATE TABLE t(i int); INSERT INTO t VALUES (1)");
  server.kill();
  server.start();
  EXPECT_EQ(database.count("SELECT count(*) FROM t"), 1);
  EXPECT_EQ(run_sql(server.admin_url(), "SHOW fsync").at(0), "on");
  server.restart();
  EXPECT_EQ(database.count("SELECT count(*) FROM t"), 1);
}

TEST(PostgresServer, HasReplicasThatStream) {
  PostgresServer primary;
  std::unique_ptr<PostgresServer> replica = primary.replica();
  PostgresDatabase database = primary.create_database();
  run_sql(database.url(), "CREATE TABLE t(i int); INSERT INTO t VALUES (1)");
  replica->catch_up_with(primary);
  EXPECT_EQ(run_sql(replica->url(database.name()), "SELECT i FROM t").at(0), "1");
  EXPECT_EQ(run_sql(replica->url(database.name()), "SELECT pg_is_in_recovery()").at(0), "t");
}

TEST(PostgresServer, SpeaksTlsOnlyWhenAsked) {
  PostgresServer server({.tls = true});
  PostgresDatabase database = server.create_database();
  EXPECT_EQ(run_sql(database.url(), "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").at(0), "t");
  const std::string plain = database.url().substr(0, database.url().find('?')) + "?sslmode=disable";
  EXPECT_DEATH(run_sql(plain, "SELECT 1"), "no pg_hba.conf entry");
}

TEST(PostgresServer, LeavesNothingBehind) {
  std::string directory;
  {
    PostgresServer server;
    directory = server.directory();
    EXPECT_TRUE(std::filesystem::exists(directory));
  }
  EXPECT_FALSE(std::filesystem::exists(directory));
}

TEST(RedisServer, AnswersAndForgetsAtItsEnd) {
  RedisServer server;
  server.command({"SET", "key", "value"});
  EXPECT_EQ(server.command({"GET", "key"}), "value");
  server.kill();
  server.start();
  EXPECT_EQ(server.command({"GET", "key"}), "");
}

TEST(RedisServer, KeepsItsDataWhenAsked) {
  RedisServer server({.persistent = true});
  server.command({"SET", "key", "value"});
  server.kill();
  server.start();
  EXPECT_EQ(server.command({"GET", "key"}), "value");
}

TEST(RedisServer, StartsWithTls) {
  RedisServer server({.tls = true});
  EXPECT_TRUE(server.url().starts_with("rediss://"));
  EXPECT_TRUE(std::filesystem::exists(server.tls()->authority));
}

TEST(RedisCluster, ServesEverySlot) {
  RedisCluster cluster;
  EXPECT_TRUE(cluster.node(2).command({"CLUSTER", "INFO"}).contains("cluster_slots_ok:16384"));
}

TEST(SharedRedis, GivesEachTestADatabaseOfItsOwn) {
  EXPECT_NE(shared_redis().new_url(), shared_redis().new_url());
}

}  // namespace
}  // namespace bedplate::testing
