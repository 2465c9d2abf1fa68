// SPDX-License-Identifier: Apache-2.0
// Starting, refusing to start, and stopping.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server.h"

namespace bedplate::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

Output serve_in_vain(const std::string& directory, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"serve", "--data", directory};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run(std::move(arguments));
}

TEST(Serve, PrintsItsUrlAndWhereItsDocumentationIsOnceItAnswers) {
  TempDir directory;
  Process process({binary(), "serve", "--data", directory / "data", "--listen", "127.0.0.1:0"});
  const std::string line = process.read_line();
  ASSERT_THAT(line, MatchesRegex("bedplate [0-9.]+ is ready at http://127\\.0\\.0\\.1:[0-9]+"));
  const std::string url = line.substr(line.find("http"));
  EXPECT_EQ(process.read_line(), "documentation: " + url + "/docs");
  HttpConnection http(url);
  EXPECT_EQ(http.get("/livez").status, 200);
  EXPECT_EQ(http.get("/readyz").status, 200);
  EXPECT_EQ(http.get("/docs").status, 200);
  process.kill(SIGTERM);
  EXPECT_EQ(process.wait().status, 0) << process.err();
  EXPECT_EQ(process.out(), "") << "nothing follows these lines";
}

TEST(Serve, NamesNoDocumentationWhereThereIsNone) {
  TempDir directory;
  Process process(
      {binary(), "serve", "--data", directory / "data", "--port", "0", "--set", "rest.docs=false"});
  const std::string line = process.read_line();
  ASSERT_THAT(line, HasSubstr("is ready at http://127.0.0.1:"));
  EXPECT_EQ(HttpConnection(line.substr(line.find("http"))).get("/").status, 404);
  process.kill(SIGTERM);
  EXPECT_EQ(process.wait().status, 0) << process.err();
  EXPECT_EQ(process.out(), "");
}

TEST(Serve, KeepsItsDataPrivate) {
  TempDir directory;
  Server server(directory / "data");
  for (const char* name : {"", "/bedplate.db", "/identity.key", "/lock", "/operations.sock"}) {
    struct stat info{};
    ASSERT_EQ(::stat((directory / "data" + name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 077, 0u) << name;
  }
}

TEST(Serve, ListensOnIpv6) {
  TempDir directory;
  Server server(directory.path(), {.listen = "[::1]:0", .settings = {}});
  EXPECT_THAT(server.url(), StartsWith("http://[::1]:"));
  User ada(server, "ada@example.com");
  EXPECT_EQ(ada.call("GET", "/v1/me").status, 200);
  EXPECT_EQ(server.terminate().status, 0);
}

TEST(Serve, ListensOnAUnixSocketAndRemovesItAfterwards) {
  TempDir directory;
  const std::string path = directory / "s.sock";
  Server server(directory / "data", {.listen = "unix:" + path, .settings = {}});
  User ada(server, "ada@example.com");
  EXPECT_EQ(ada.call("GET", "/v1/me").status, 200);
  const Output second = serve_in_vain(directory / "other", {"--listen", "unix:" + path});
  EXPECT_EQ(second.exit.status, 1);
  EXPECT_THAT(second.err, HasSubstr("Cannot listen on unix:" + path + ": another process already does."));
  EXPECT_EQ(server.terminate().status, 0);
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

TEST(Serve, ListensAgainOnTheSocketThatAKilledServerLeft) {
  TempDir directory;
  const Server::Options options{.listen = "unix:" + directory / "s.sock", .settings = {}};
  Server(directory / "data", options).kill();
  Server again(directory / "data", options);
  EXPECT_EQ(HttpConnection(again.url()).get("/livez").status, 200);
}

TEST(Serve, ListensOnSeveralAddresses) {
  TempDir directory;
  Process process(
      {binary(), "serve", "--data", directory.path(), "--listen", "127.0.0.1:0", "--listen", "[::1]:0"});
  for (const char* host : {"http://127.0.0.1:", "http://[::1]:"}) {
    const std::string line = process.read_line();
    ASSERT_THAT(line, HasSubstr(host));
    EXPECT_EQ(HttpConnection(line.substr(line.find("http"))).get("/livez").status, 200);
  }
}

TEST(Serve, RefusesADataDirectoryThatIsServed) {
  TempDir directory;
  Server server(directory.path());
  const Output second = serve_in_vain(directory.path(), {"--listen", "127.0.0.1:0"});
  EXPECT_EQ(second.exit.status, 1);
  EXPECT_EQ(second.out, "");
  EXPECT_EQ(second.err, "bedplate: Another process (pid " + std::to_string(server.process().pid()) +
                            ") serves '" + directory.path() + "'.\n");
  EXPECT_EQ(HttpConnection(server.url()).get("/readyz").status, 200) << "the first one goes on";
}

TEST(Serve, RefusesAPortThatIsTaken) {
  TempDir directory;
  Server server(directory / "one");
  const std::string address = server.url().substr(std::string("http://").size());
  const Output second = serve_in_vain(directory / "two", {"--listen", address});
  EXPECT_EQ(second.exit.status, 1);
  EXPECT_EQ(second.out, "");
  EXPECT_THAT(second.err, HasSubstr("bedplate: Cannot listen on " + address +
                                    ": another process already does. Stop it, or choose another address "
                                    "(port 0 takes a free one).\n"));
  EXPECT_NE(::access((directory / "two").c_str(), F_OK), 0) << "it is known before anything is made";
}

TEST(Serve, SaysThatAFileIsNoSocketAndLeavesItAlone) {
  TempDir directory;
  const std::string path = directory / "plain";
  FILE* file = std::fopen(path.c_str(), "w");
  std::fclose(file);
  const Output refused = serve_in_vain(directory / "data", {"--listen", "unix:" + path});
  EXPECT_EQ(refused.exit.status, 1);
  EXPECT_EQ(refused.err,
            "bedplate: Cannot listen on unix:" + path +
                ": there is a file at this path, and it is not a socket. Move it away, or choose "
                "another path.\n");
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  EXPECT_NE(::access((directory / "data").c_str(), F_OK), 0);
}

TEST(Serve, ListensOnASocketInTheDataDirectoryThatItMakes) {
  TempDir directory;
  Server server(directory / "data", {.listen = "unix:" + directory / "data/http.sock", .settings = {}});
  EXPECT_EQ(HttpConnection(server.url()).get("/livez").status, 200);
  EXPECT_EQ(server.terminate().status, 0);
}

TEST(Serve, RefusesADatabaseThatANewerProgramMigrated) {
  TempDir directory;
  run_well({"migrate", "up", "--data", directory.path()});
  {
    DatabaseFile database(directory / "bedplate.db");
    const auto tables = database.column("SELECT name FROM sqlite_schema WHERE name LIKE '%migrations'");
    ASSERT_EQ(tables.size(), 1u);
    const std::string table = tables[0];
    database.run("INSERT INTO " + table + " (module, version, name, checksum, applied_at) " +
                 "SELECT module, 2, 'from_the_future', checksum, applied_at FROM " + table +
                 " WHERE module = 'tasks'");
  }
  const Output refused = serve_in_vain(directory.path(), {"--listen", "127.0.0.1:0"});
  EXPECT_EQ(refused.exit.status, 1);
  EXPECT_EQ(refused.err,
            "bedplate: The schema of tasks is at version 2, this program knows up to 1: it is older than the "
            "one that migrated the database. Run a newer one.\n");
  EXPECT_THAT(run_well({"migrate", "status", "--data", directory.path()}),
              HasSubstr("tasks 0002 from_the_future: applied "));
}

TEST(Serve, RefusesADatabaseThatIsNone) {
  TempDir directory;
  FILE* file = std::fopen((directory / "bedplate.db").c_str(), "w");
  std::fputs(std::string(8192, 'x').c_str(), file);
  std::fclose(file);
  const Output refused = serve_in_vain(directory.path(), {"--listen", "127.0.0.1:0"});
  EXPECT_EQ(refused.exit.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("bedplate.db is not a SQLite database.\n"));
}

TEST(Serve, RefusesAddressesThatAreNone) {
  TempDir directory;
  for (const char* address : {"nowhere", "127.0.0.1:99999", "127.0.0.1", "unix:"}) {
    const Output refused = serve_in_vain(directory.path(), {"--listen", address});
    EXPECT_NE(refused.exit.status, 0) << address;
    EXPECT_THAT(refused.err, HasSubstr(address));
  }
}

// ---- Stopping

/// Status of the answer to a GET over a new connection; 0 when there is no server.
int status_anew(HttpConnection& http, std::string_view target) {
  http.abort();
  return http.get(target).status;
}

/// False: it was over before all had been seen.
bool is_served_while_it_drains(std::chrono::milliseconds delay) {
  using std::chrono::steady_clock;
  TempDir directory;
  Server server(directory.path(), {.settings = {"server.drain_delay_ms=" + std::to_string(delay.count())}});
  User ada(server, "ada@example.com");
  HttpConnection http(server.url());
  const steady_clock::time_point began = steady_clock::now();
  server.process().kill(SIGTERM);
  EXPECT_TRUE(wait_until([&] {
    const int ready = status_anew(http, "/readyz");
    return ready == 503 || ready == 0;
  }));
  const int ready = status_anew(http, "/readyz"), live = status_anew(http, "/livez");
  const HttpResponse made = ada.call("POST", "/v1/tasks", R"({"title":"In the last moment"})");
  const bool in_time = steady_clock::now() - began < delay;
  // Wait for the end without asking for it twice.
  Process& process = server.process();
  EXPECT_EQ(process.wait().status, 0) << process.err();
  EXPECT_FALSE(HttpConnection::can_connect(server.url()));
  if (!in_time) return false;
  EXPECT_EQ(ready, 503);
  EXPECT_EQ(live, 200);
  EXPECT_EQ(made.status, 201) << made.body;
  Server again(directory.path());
  User back(again, "ada@example.com", ada.tokens());
  EXPECT_EQ(back.all_tasks().size(), 1u) << "what was acknowledged while draining is there";
  return true;
}

TEST(Drain, AnswersReadyzWith503WhileItStillAccepts) {
  EXPECT_TRUE(with_growing_limits(std::chrono::milliseconds{1000}, is_served_while_it_drains));
}

TEST(Drain, LetsARunningRequestFinish) {
  TempDir directory;
  Server server(directory.path());
  User ada(server, "ada@example.com");
  // A request of which the server has the head and half of the body.
  HttpConnection slow(server.url());
  const std::string body = R"({"title":"Slowly typed"})";
  slow.send(
      "POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
      "Authorization: Bearer " +
      ada.tokens().access + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
  ASSERT_EQ(slow.receive().status, 100) << "it is running now";
  slow.send(body.substr(0, 10));
  server.process().kill(SIGTERM);
  ASSERT_TRUE(wait_until([&] { return !HttpConnection::can_connect(server.url()); }));
  slow.send(body.substr(10));
  const HttpResponse made = slow.receive();
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.field("Connection"), "close");
  EXPECT_TRUE(slow.closed_by_server());
  Process& process = server.process();
  EXPECT_EQ(process.wait().status, 0) << process.err();
  EXPECT_THAT(process.err(), HasSubstr("\"requests_cut_off\":false"));
}

TEST(Drain, ClosesIdleConnectionsAtOnce) {
  TempDir directory;
  Server server(directory.path());
  HttpConnection idle(server.url());
  EXPECT_EQ(idle.get("/livez").status, 200);
  EXPECT_EQ(server.terminate().status, 0);
  EXPECT_TRUE(idle.closed_by_server());
  EXPECT_THAT(server.process().err(), HasSubstr("\"requests_cut_off\":false"));
}

TEST(Drain, CutsOffWhatTakesLongerThanTheLimit) {
  TempDir directory;
  Server server(directory.path(), {.listen = "127.0.0.1:0", .settings = {"server.drain_timeout_ms=100"}});
  User ada(server, "ada@example.com");
  HttpConnection stuck(server.url());
  stuck.send(
      "POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
      "Authorization: Bearer " +
      ada.tokens().access + "\r\nContent-Length: 20\r\n\r\n");
  ASSERT_EQ(stuck.receive().status, 100);
  EXPECT_EQ(server.terminate().status, 0);
  EXPECT_THAT(server.process().err(), HasSubstr("\"requests_cut_off\":true"));
}

TEST(Drain, ASecondSignalEndsAtOnce) {
  TempDir directory;
  Server server(directory.path(), {.listen = "127.0.0.1:0", .settings = {"server.drain_delay_ms=60000"}});
  server.process().kill(SIGTERM);
  ASSERT_TRUE(wait_until([&] { return HttpConnection(server.url()).get("/readyz").status == 503; }));
  const Exit exit = server.terminate();
  EXPECT_EQ(exit.signal, SIGTERM);
}

TEST(Drain, AnInterruptAndATerminalThatClosesStopItLikeTerminate) {
  for (const int signal : {SIGINT, SIGHUP}) {
    TempDir directory;
    Server server(directory.path());
    server.process().kill(signal);
    Process& process = server.process();
    EXPECT_EQ(process.wait().status, 0) << process.err();
  }
}

TEST(Drain, UnderNohupATerminalThatClosesIsNothing) {
  TempDir directory;
  Process process({"/bin/sh", "-c", "trap '' HUP; exec \"$0\" \"$@\"", binary(), "serve", "--data",
                   directory.path(), "--listen", "127.0.0.1:0"});
  ASSERT_THAT(process.read_line(), HasSubstr(" is ready at "));
  process.kill(SIGHUP);
  process.kill(SIGTERM);
  EXPECT_EQ(process.wait().status, 0) << process.err();
  EXPECT_THAT(process.err(), HasSubstr(R"("message":"stopping","signal":"SIGTERM")"));
}

TEST(Drain, LosesNothingThatWasAcknowledged) {
  TempDir directory;
  std::vector<std::vector<std::string>> acknowledged(4);
  std::vector<Tokens> tokens(4);
  {
    Server server(directory.path());
    std::vector<std::unique_ptr<User>> users;  // all are in before one of them asks for the end
    for (std::size_t i = 0; i < 4; ++i) {
      users.push_back(std::make_unique<User>(server, "user" + std::to_string(i) + "@example.com"));
      tokens[i] = users[i]->tokens();
    }
    std::vector<std::thread> writers;
    for (std::size_t i = 0; i < 4; ++i) {
      writers.emplace_back([&, i] {
        for (int n = 0;; ++n) {
          const HttpResponse made = users[i]->call("POST", "/v1/tasks", R"({"title":"Task"})");
          if (made.status != 201) break;
          acknowledged[i].push_back(Json::parse(made.body)["id"].text());
          if (i == 0 && n == 100) server.process().kill(SIGTERM);
        }
      });
    }
    for (std::thread& writer : writers) writer.join();
    Process& process = server.process();
    EXPECT_EQ(process.wait().status, 0) << process.err();
  }
  Server server(directory.path());
  for (std::size_t i = 0; i < 4; ++i) {
    User user(server, "user" + std::to_string(i) + "@example.com", tokens[i]);
    EXPECT_THAT(user.all_tasks(), ::testing::IsSupersetOf(acknowledged[i]));
  }
}

}  // namespace
}  // namespace bedplate::e2e
