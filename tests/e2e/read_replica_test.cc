// SPDX-License-Identifier: Apache-2.0
// The server on a PostgreSQL primary and a replica that streams from it: who reads the past, and who does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "server.h"
#include "tests/servers/postgresql_server.h"

namespace bedplate::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using testing::PostgresDatabase;
using testing::PostgresServer;

class ReadReplica : public ::testing::Test {
 protected:
  ReadReplica()
      : database_(primary_.create_database()),
        replica_(primary_.replica()),
        server_(directory_.path(),
                {.listen = "127.0.0.1:0",
                 .settings = {"database.url=" + database_.url(),
                              "database.postgresql.replica_urls=" + replica_->url(database_.name()),
                              "rest.access_log=false"}}),
        ada_(server_, "ada@example.com") {
    known_ = ada_.create("Known everywhere");
    replica_->catch_up_with(primary_);
    testing::run_sql(replica_->admin_url(), "SELECT pg_wal_replay_pause()");
  }

  /// The answer of the replica, and that to a client which has seen `commit`.
  HttpResponse get(std::string_view target) { return ada_.call("GET", target); }
  HttpResponse get_after(const std::string& commit, std::string_view target) {
    return ada_.call("GET", target, {}, {{"Bedplate-Commit", commit}});
  }
  static std::string mark_of(const HttpResponse& written) {
    EXPECT_LT(written.status, 300) << written.body;
    EXPECT_THAT(written.field("Bedplate-Commit"), MatchesRegex("[0-9a-f]+"));
    return std::string(written.field("Bedplate-Commit"));
  }

  PostgresServer primary_;
  PostgresDatabase database_;
  std::unique_ptr<PostgresServer> replica_;
  TempDir directory_;
  Server server_;
  User ada_;
  std::string known_;
};

TEST_F(ReadReplica, WhoSendsTheMarkBackReadsItsWritesWhileTheReplicaLags) {
  const HttpResponse made = ada_.call("POST", "/v1/tasks", R"({"title":"Fresh"})");
  const std::string commit = mark_of(made);
  const std::string target = "/v1/tasks/" + Json::parse(made.body)["id"].text();
  EXPECT_EQ(get(target).status, 404) << "the replica answers, which does not know it yet";
  EXPECT_EQ(get("/v1/tasks/" + known_).status, 200);
  EXPECT_EQ(get_after(commit, target).status, 200) << "the primary answers";
  EXPECT_THAT(get("/v1/tasks?q=fresh").body, HasSubstr(R"("data":[])"));
  EXPECT_THAT(get_after(commit, "/v1/tasks?q=fresh").body, HasSubstr(R"("title":"Fresh")"));

  const std::string later = mark_of(ada_.call("PATCH", target, R"({"title":"Changed"})"));
  EXPECT_THAT(get_after(later, target).body, HasSubstr(R"("title":"Changed")"));
  const std::string last = mark_of(ada_.call("DELETE", "/v1/tasks/" + known_));
  EXPECT_EQ(get("/v1/tasks/" + known_).status, 200);
  EXPECT_EQ(get_after(last, "/v1/tasks/" + known_).status, 404);

  testing::run_sql(replica_->admin_url(), "SELECT pg_wal_replay_resume()");
  replica_->catch_up_with(primary_);
  EXPECT_EQ(get(target).status, 200);
  EXPECT_EQ(server_.terminate().status, 0);
}

TEST_F(ReadReplica, OperationsOfSeveralTransactionsAnswerTheMarkToo) {
  const HttpResponse signed_up =
      HttpConnection(server_.url()).post("/v1/auth/signup", credentials("bob@example.com"));
  const std::string commit = mark_of(signed_up);
  User bob(server_, "bob@example.com", tokens_in(signed_up));
  EXPECT_EQ(bob.call("GET", "/v1/me", {}, {{"Bedplate-Commit", commit}}).status, 200);
  EXPECT_NE(bob.call("GET", "/v1/me").status, 200) << "the replica has not heard of Bob";
}

TEST_F(ReadReplica, ThatIsAwayIsAWarningOfHealth) {
  HttpConnection operations(server_.operations_url());
  const std::string name = "replica 1 (127.0.0.1:" + std::to_string(replica_->address().port()) + ")";
  const auto says = [&](const std::string& status, const std::string& detail) {
    const std::string line =
        R"({"name":")" + name + R"(","status":")" + status + R"(","detail":")" + detail + "\"";
    return wait_until([&] {
      const HttpResponse health = operations.get("/healthz");
      return health.status == 200 && health.body.starts_with(R"({"status":")" + status) &&
             health.body.contains(line);
    });
  };
  EXPECT_TRUE(says("pass", "It answers reads.")) << operations.get("/healthz").body;
  replica_->kill();
  EXPECT_TRUE(says("warn", "It is away: the primary answers its reads."));
  EXPECT_EQ(get("/v1/tasks/" + known_).status, 200) << "the primary answers";
  replica_->start();
  EXPECT_TRUE(says("pass", "It answers reads."));
  replica_->pause();
  EXPECT_TRUE(says("warn", "It did not answer within 2000 ms."));
  replica_->resume();
  EXPECT_TRUE(says("pass", "It answers reads."));
}

TEST_F(ReadReplica, TheDocumentationNamesTheHeaderWhereThereAreReplicas) {
  HttpConnection http(server_.url());
  EXPECT_THAT(http.get("/openapi.json").body, HasSubstr(R"({"name":"Bedplate-Commit","in":"header")"));
  TempDir alone;
  Server without(alone.path());
  EXPECT_THAT(HttpConnection(without.url()).get("/openapi.json").body, Not(HasSubstr("Bedplate-Commit")));
}

}  // namespace
}  // namespace bedplate::e2e
