// SPDX-License-Identifier: Apache-2.0
// The server on PostgreSQL: what an operator does, and what users see when PostgreSQL is killed under them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "server.h"
#include "tests/servers/postgresql_server.h"

namespace bedplate::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::PostgresDatabase;
using testing::PostgresServer;

Server::Options on(const std::string& url, std::vector<std::string> more = {}) {
  more.insert(more.end(),
              {"database.url=" + url, "identity.login_throttle.enabled=false", "rest.access_log=false"});
  return {.listen = "127.0.0.1:0", .settings = std::move(more)};
}

// ---- What an operator does

class OnPostgres : public ::testing::Test {
 protected:
  Output run_here(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--data", directory_.path()});
    return run(std::move(arguments), {{"BEDPLATE_DATABASE_URL", database_.url()}});
  }
  std::string run_here_well(std::vector<std::string> arguments) {
    const Output output = run_here(std::move(arguments));
    EXPECT_EQ(output.exit.status, 0) << output.err;
    return output.out;
  }

  TempDir directory_;
  PostgresDatabase database_ = testing::shared_postgres().create_database();
};

TEST_F(OnPostgres, TheVariableChoosesItAndCommandsWork) {
  EXPECT_THAT(run_here_well({"migrate", "status"}), HasSubstr("tasks 0001 tasks: pending"));
  EXPECT_THAT(run_here_well({"migrate", "up", "--dry-run"}), HasSubstr("would apply tasks 1 tasks"));
  EXPECT_EQ(database_.count("SELECT count(*) FROM pg_tables WHERE tablename = 'tasks'"), 0);
  EXPECT_THAT(run_here_well({"migrate", "up"}), HasSubstr("applied tasks 1 tasks"));
  EXPECT_THAT(run_here_well({"demo"}), HasSubstr("ada@example.com"));
  EXPECT_GT(database_.count("SELECT count(*) FROM tasks"), 3);
  EXPECT_EQ(run_here_well({"admin", "grant", "ada@example.com"}),
            "ada@example.com: is an administrator now\n");
  EXPECT_EQ(database_.count("SELECT count(*) FROM identity_users WHERE roles LIKE '%admin%'"), 1);
  EXPECT_EQ(run_here_well({"admin", "delete", "ada@example.com"}), "ada@example.com: deleted\n");
  EXPECT_EQ(database_.count("SELECT count(*) FROM identity_users"), 1);
  EXPECT_EQ(database_.count("SELECT count(*) FROM tasks"),
            database_.count("SELECT count(*) FROM tasks_search"));
  EXPECT_THAT(run_here_well({"config"}), Not(HasSubstr("@127.0.0.1"))) << "the URL has a password in it";
  EXPECT_THAT(run_here_well({"migrate", "down", "tasks"}), HasSubstr("rolled back tasks 1 tasks"));
  EXPECT_THAT(run_here_well({"migrate", "down", "tasks_search"}), HasSubstr("rolled back tasks_search 1"));
  EXPECT_EQ(database_.count("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'tasks%'"), 0);
}

TEST_F(OnPostgres, ServesNothingOnASchemaThatIsNotItsOwn) {
  const std::vector<std::string> serve = {"serve", "--listen", "127.0.0.1:0"};
  std::vector<std::string> without = serve;
  without.insert(without.end(), {"--set", "database.migrate=false"});
  const Output pending = run_here(without);
  EXPECT_EQ(pending.exit.status, 1);
  EXPECT_THAT(pending.err, HasSubstr("migrate up"));

  run_here_well({"migrate", "up"});
  database_.rows(
      "INSERT INTO schema_migrations SELECT module, 2, 'later', checksum, applied_at FROM schema_migrations "
      "WHERE module = 'tasks'");
  for (const auto& arguments : {serve, without}) {
    const Output newer = run_here(arguments);
    EXPECT_EQ(newer.exit.status, 1);
    EXPECT_THAT(newer.err, HasSubstr("is older than the one that migrated the database"));
  }
}

TEST_F(OnPostgres, SaysWhyItDoesNotStartAndKeepsThePasswordToItself) {
  const std::string nobody = "postgresql://bedplate:hidden@127.0.0.1:1/none";
  const Output output = run({"serve", "--data", directory_.path(), "--listen", "127.0.0.1:0"},
                            {{"BEDPLATE_DATABASE_URL", nobody}});
  EXPECT_EQ(output.exit.status, 1);
  EXPECT_THAT(output.err, HasSubstr("bedplate: The database of database.url cannot be reached: "));
  EXPECT_THAT(output.err, HasSubstr("Connection refused"));
  EXPECT_THAT(output.err, Not(HasSubstr("hidden")));
  EXPECT_THAT(output.err, Not(HasSubstr("later")));
}

TEST_F(OnPostgres, AUrlThatCannotBeMeantIsRefusedAndNoPartOfItIsSaid) {
  const std::string good = database_.url();
  for (const std::string& url : {std::string("postgresql://bedplate:hunter%zz2@127.0.0.1/x"),
                                 std::string("postgresql://bedplate:hunter@2@127.0.0.1/x"),
                                 std::string("postgresql://bedplate:hunter/2@127.0.0.1/x"),
                                 std::string("postgresql://127.0.0.1/x?password=hunter%zz2")}) {
    const Output output = run({"serve", "--data", directory_.path(), "--listen", "127.0.0.1:0"},
                              {{"BEDPLATE_DATABASE_URL", url}});
    EXPECT_EQ(output.exit.status, 2) << url;
    EXPECT_THAT(output.err, HasSubstr("database.url is not a URL of PostgreSQL that can be read")) << url;
    EXPECT_THAT(output.err, Not(HasSubstr("hunter"))) << url;
  }
  for (const std::string& replicas :
       {good + "," + good, std::string("foo:hunter2"), good + " sqlite:hunter2.db"}) {
    const Output output =
        run({"serve", "--data", directory_.path(), "--listen", "127.0.0.1:0"},
            {{"BEDPLATE_DATABASE_URL", good}, {"BEDPLATE_DATABASE_POSTGRESQL_REPLICA_URLS", replicas}});
    EXPECT_EQ(output.exit.status, 2) << replicas;
    EXPECT_THAT(output.err, HasSubstr("database.postgresql.replica_urls")) << replicas;
    EXPECT_THAT(output.err, Not(HasSubstr("hunter"))) << replicas;
    EXPECT_THAT(output.err, Not(HasSubstr(good))) << replicas;
  }
}

TEST_F(OnPostgres, HealthLooksAtIt) {
  Server server(directory_.path(), on(database_.url()));
  HttpConnection http(server.url());
  HttpConnection operations(server.operations_url());
  // A check has two seconds; a busy machine takes them sometimes.
  EXPECT_TRUE(wait_until([&] { return operations.get("/healthz").status == 200; }));
  EXPECT_TRUE(wait_until([&] { return operations.get("/healthz").body.contains("It reads and writes."); }));
  EXPECT_EQ(server.terminate().status, 0);
}

// ---- PostgreSQL hangs: it takes connections, and answers nothing

TEST(HangingPostgres, IsNamedByHealthWithinSecondsAndClientsHearWhenToComeBack) {
  PostgresServer postgres;
  PostgresDatabase database = postgres.create_database();
  TempDir directory;
  // Nothing of the driver's ends a wait before the limits that are looked at here.
  Server server(directory.path(),
                on(database.url(), {"database.postgresql.connect_timeout_ms=60000",
                                    "database.read_timeout_ms=60000", "database.command_timeout_ms=6000"}));
  User ada(server, "ada@example.com");
  EXPECT_TRUE(wait_until(
      [&] { return ada.call("POST", "/v1/tasks", R"({"title":"While all is well"})").status == 201; }));
  HttpConnection http(server.url());
  HttpConnection operations(server.operations_url());
  postgres.pause();

  const HttpResponse health = operations.get("/healthz");
  EXPECT_EQ(health.status, 503);
  EXPECT_THAT(
      health.body,
      HasSubstr(
          R"({"name":"database","status":"fail","detail":"It did not answer within 2000 ms.","duration_us":)"));
  EXPECT_THAT(health.body, HasSubstr(R"({"name":"disk","status":)")) << "it hides nothing of the others";
  const Output command = run({"health", "--data", directory.path()});
  EXPECT_EQ(command.exit.status, 1);
  EXPECT_THAT(command.out, HasSubstr(R"("name":"database","status":"fail")"));
  EXPECT_EQ(command.err, "bedplate: These checks fail: database.\n");
  EXPECT_EQ(http.get("/readyz").status, 200);
  EXPECT_EQ(http.get("/livez").status, 200);

  const HttpResponse late = ada.call("POST", "/v1/tasks", R"({"title":"Too late"})");
  EXPECT_EQ(late.status, 504) << late.body;
  EXPECT_EQ(late.field("Retry-After"), "5");
  EXPECT_THAT(late.body, HasSubstr(R"("code":"query_timeout")"));

  postgres.resume();
  EXPECT_TRUE(wait_until([&] { return operations.get("/healthz").status == 200; }));
  EXPECT_TRUE(
      wait_until([&] { return ada.call("POST", "/v1/tasks", R"({"title":"Again"})").status == 201; }));
  EXPECT_EQ(server.terminate().status, 0);
}

// ---- PostgreSQL is killed under load

/// Clients that ask again at once would take the processor from the server that they wait for.
void come_later() {
  std::this_thread::sleep_for(std::chrono::milliseconds{5});  // tidy: sleep because the answer asks for it
}

/// Creates tasks, each with a key of its own, and sends each again until it is acknowledged.
class Creator {
 public:
  Creator(const Server& server, const std::string& email) : user_(server, email) {}

  void run(const std::atomic<bool>& enough) {
    for (int n = 0; !enough; ++n) create(std::to_string(n));
  }
  const std::set<std::string>& created() const { return created_; }
  User& user() { return user_; }
  std::atomic<int> acknowledged{0};
  std::atomic<int> refused{0};

 private:
  void create(const std::string& title) {
    const std::string body = R"({"title":")" + title + R"("})";
    const HttpFields key = {{"Idempotency-Key", user_.email() + "-" + title}};
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (std::chrono::steady_clock::now() < patience) {
      const HttpResponse response = user_.call("POST", "/v1/tasks", body, key);
      if (response.status == 201) {
        created_.insert(Json::parse(response.body)["id"].text());
        ++acknowledged;
        return;
      }
      // Nothing but "later", and when.
      ASSERT_THAT(response.status, ::testing::AnyOf(503, 409)) << response.body;
      ASSERT_TRUE(response.has_field("Retry-After")) << response.body;
      ++refused;
      come_later();
    }
    FAIL() << "it never came back";
  }

  User user_;
  std::set<std::string> created_;
};

/// Reads all the while; every answer is right or says to come later.
void read_until(User& user, const std::string& id, const std::atomic<bool>& enough) {
  while (!enough) {
    const HttpResponse response = user.call("GET", "/v1/tasks/" + id);
    ASSERT_THAT(response.status, ::testing::AnyOf(200, 503)) << response.body;
    ASSERT_EQ(response.status == 503, response.has_field("Retry-After"));
    if (response.status == 503) come_later();
  }
}

TEST(KillPostgres, UnderLoadIs503UntilItIsBackAndNothingIsLostOrDoubled) {
  constexpr int kRounds = 3;
  PostgresServer postgres;
  PostgresDatabase database = postgres.create_database();
  TempDir directory;
  Server server(directory.path(), on(database.url()));
  std::vector<std::unique_ptr<Creator>> creators;
  for (int i = 0; i < 4; ++i)
    creators.push_back(std::make_unique<Creator>(server, "user" + std::to_string(i) + "@example.com"));
  User reader(server, "reader@example.com");
  const std::string id = reader.create("to be read");

  std::atomic<bool> enough = false;
  std::vector<std::thread> threads;
  for (auto& creator : creators) threads.emplace_back([&] { creator->run(enough); });
  threads.emplace_back([&] { read_until(reader, id, enough); });
  auto written = [&] {
    int all = 0;
    for (auto& creator : creators) all += creator->acknowledged;
    return all;
  };
  for (int round = 0; round < kRounds; ++round) {
    const int then = written();
    EXPECT_TRUE(wait_until([&] { return written() > then + 40; })) << "round " << round;
    postgres.kill();
    HttpConnection http(server.url());
    HttpConnection operations(server.operations_url());
    EXPECT_TRUE(wait_until([&] { return operations.get("/healthz").status == 503; }));
    EXPECT_EQ(http.get("/livez").status, 200) << "nobody restarts it for this";
    EXPECT_TRUE(wait_until([&] {
      return std::ranges::all_of(creators, [](const auto& creator) { return creator->refused > 0; });
    })) << "everybody is told to come later";
    postgres.start();
    EXPECT_TRUE(wait_until([&] { return operations.get("/healthz").status == 200; }));
  }
  const int then = written();
  EXPECT_TRUE(wait_until([&] { return written() > then + 40; }));
  enough = true;
  for (std::thread& thread : threads) thread.join();

  for (auto& creator : creators) {
    const std::vector<std::string> found = creator->user().all_tasks();
    EXPECT_EQ(std::set(found.begin(), found.end()), creator->created());
    EXPECT_EQ(found.size(), creator->created().size());
  }
  EXPECT_EQ(database.count("SELECT count(*) FROM tasks"),
            database.count("SELECT count(*) FROM tasks_search"));
  EXPECT_EQ(server.terminate().status, 0);
}

}  // namespace
}  // namespace bedplate::e2e
