// SPDX-License-Identifier: Apache-2.0
// SIGKILL under load, again and again: every acknowledged write is there after the restart, and nothing is half done.
// (The page cache survives a killed process, so what this proves is atomicity; that a write is on disk before its
// answer is proven in bedplate/sql/sqlite/durability_test.cc.)
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server.h"
#include "tests/kits/database_kit.h"

namespace bedplate::e2e {
namespace {

constexpr int kRounds = 8;
constexpr int kRoundsOfSoak = 80;
constexpr std::size_t kWriters = 4;
constexpr int kWritesBeforeTheKill = 60;

/// A command that was sent, perhaps answered, and what it was.
struct Command {
  std::string method;
  std::string target;
  std::string body;
  std::string key;
  int status = 0;  ///< 0: no answer came
  std::string answer;
};

/// One user who writes, and what the server has acknowledged to them.
class Writer {
 public:
  Writer(const Server& server, std::string email) {
    User user(server, std::move(email));
    email_ = user.email();
    tokens_ = user.tokens();
  }

  /// Before write(), for a server that is killed while it may not have begun yet.
  void connect(const Server& server) { user_ = std::make_unique<User>(server, email_, tokens_); }
  /// Until the server is gone. Each command has a key of its own.
  void write(int round, std::atomic<int>& written) {
    for (int n = 0;; ++n) {
      Command command = next(n);
      command.key = email_ + "-" + std::to_string(round) + "-" + std::to_string(n);
      send(*user_, command);
      last_ = command;
      if (command.status == 0) return;
      ASSERT_LT(command.status, 300) << command.method << " " << command.target << ": " << command.answer;
      take(command);
      ++written;
    }
  }

  /// The state of every task is what was acknowledged last, but for the one command that nobody heard of again.
  void check(const Server& server) {
    User user(server, email_, tokens_);
    retry(user, last_);
    std::map<std::string, std::string> found;
    for (const std::string& id : user.all_tasks()) {
      const HttpResponse task = user.call("GET", "/v1/tasks/" + id);
      EXPECT_EQ(task.status, 200);
      found[id] = Json::parse(task.body)["title"].text();
    }
    EXPECT_EQ(found, titles_) << email_;
    check_search(user);
  }

  std::size_t task_count() const { return titles_.size(); }

 private:
  Command next(int n) const {
    if (n % 4 == 2 && !titles_.empty())
      return {.method = "PATCH",
              .target = "/v1/tasks/" + newest_,
              .body = R"({"title":"changed )" + stamp(n) + R"("})",
              .key = {},
              .answer = {}};
    if (n % 4 == 3 && !titles_.empty())
      return {.method = "DELETE",
              .target = "/v1/tasks/" + titles_.begin()->first,
              .body = {},
              .key = {},
              .answer = {}};
    return {.method = "POST",
            .target = "/v1/tasks",
            .body = R"({"title":"created )" + stamp(n) + R"("})",
            .key = {},
            .answer = {}};
  }
  std::string stamp(int n) const { return "n" + std::to_string(n); }

  /// Until it is taken or the server is gone. On PostgreSQL it may first have to come again: others changed the same at
  /// the same time, or a transaction of the killed server still holds the key, until PostgreSQL notices its end.
  static void send(User& user, Command& command) {
    EXPECT_TRUE(wait_until([&] {
      const HttpResponse response =
          user.call(command.method, command.target, command.body, {{"Idempotency-Key", command.key}});
      command.status = response.status;
      command.answer = response.body;
      return command.status != 409;
    })) << command.answer;
  }

  /// Follows what the server said it did.
  void take(const Command& command) {
    if (command.method == "DELETE") {
      titles_.erase(command.target.substr(std::string("/v1/tasks/").size()));
      return;
    }
    const Json task = Json::parse(command.answer);
    newest_ = task["id"].text();
    titles_[newest_] = task["title"].text();
    if (!titles_.contains(newest_)) newest_ = titles_.begin()->first;
  }

  /// Sends the unanswered command again: whether it was committed or not, it now has happened once. And once more: the
  /// answer is the same.
  void retry(User& user, Command command) {
    if (command.key.empty() || command.status != 0) return;
    send(user, command);
    ASSERT_LT(command.status, 300) << command.answer;
    take(command);
    const HttpResponse again =
        user.call(command.method, command.target, command.body, {{"Idempotency-Key", command.key}});
    EXPECT_EQ(again.status, command.status);
    EXPECT_EQ(again.body, command.answer);
    EXPECT_EQ(again.field("Idempotency-Replayed"), "true");
  }

  /// The search index knows exactly the titles that the rows have.
  void check_search(User& user) const {
    std::size_t changed = 0;
    for (const auto& [id, title] : titles_) changed += title.starts_with("changed");
    for (const auto& [word, count] : {std::pair("changed", changed), {"created", titles_.size() - changed}}) {
      const HttpResponse page = user.call("GET", "/v1/tasks?limit=1&total=exact&q=" + std::string(word));
      EXPECT_EQ(Json::parse(page.body)["pagination"]["total"].number(), count) << email_ << " " << word;
    }
  }

  std::string email_;
  Tokens tokens_;
  std::unique_ptr<User> user_;
  std::map<std::string, std::string> titles_;
  std::string newest_;
  Command last_;
};

/// Signs users up until the server is gone; remembers whom it has acknowledged.
class SignUps {
 public:
  void connect(const Server& server) { http_ = std::make_unique<HttpConnection>(server.url()); }
  void run(int round) {
    for (int n = 0;; ++n) {
      const std::string email = "new" + std::to_string(round) + "-" + std::to_string(n) + "@example.com";
      const HttpResponse answer = http_->post("/v1/auth/signup", credentials(email));
      if (answer.status == 0) return;
      ASSERT_EQ(answer.status, 201) << answer.body;
      acknowledged_.emplace_back(email, tokens_in(answer));
      ++count_;
    }
  }
  /// Everybody is there, with a session that can be renewed once.
  void check(const Server& server) {
    HttpConnection http(server.url());
    for (const auto& [email, tokens] : acknowledged_) {
      const HttpResponse me = http.get("/v1/me", bearer(tokens.access));
      EXPECT_EQ(me.status, 200) << email << " " << me.body;
      EXPECT_EQ(Json::parse(me.body)["email"].text(), email);
      const std::string body = R"({"refresh_token":")" + tokens.refresh + R"("})";
      EXPECT_EQ(http.post("/v1/auth/refresh", body).status, 200) << email;
    }
    acknowledged_.clear();
  }
  /// How many were acknowledged, at all servers; by any thread.
  int count() const { return count_; }

 private:
  std::unique_ptr<HttpConnection> http_;
  std::vector<std::pair<std::string, Tokens>> acknowledged_;
  std::atomic<int> count_{0};
};

void check_file(const std::string& path) {
  DatabaseFile database(path);
  EXPECT_EQ(database.column("PRAGMA integrity_check"), std::vector<std::string>{"ok"});
  EXPECT_THAT(database.column("PRAGMA foreign_key_check"), ::testing::IsEmpty());
  EXPECT_EQ(database.column("SELECT number FROM tasks_search ORDER BY number"),
            database.column("SELECT id FROM tasks_search_words_docsize ORDER BY id"));
}

/// What must hold between tables, on every engine, whenever one looks: so in one statement each, for on PostgreSQL a
/// commit of the killed server may still be under way.
template <class Database>
void check_rows(const Database& database) {
  EXPECT_EQ(database.count("SELECT count(*) FROM tasks WHERE NOT EXISTS (SELECT 1 FROM tasks_search s "
                           "WHERE s.part = tasks.owner AND s.id = tasks.id AND s.title = tasks.title)"),
            0);
  EXPECT_EQ(database.count("SELECT (SELECT count(*) FROM tasks_search) - (SELECT count(*) FROM tasks)"), 0);
  // A user was signed up with a session and its token, or not at all.
  EXPECT_EQ(
      database.count(
          "SELECT count(*) FROM identity_users WHERE id NOT IN (SELECT user_id FROM identity_sessions)"),
      0);
  EXPECT_EQ(database.count("SELECT count(*) FROM identity_sessions WHERE id NOT IN (SELECT session_id FROM "
                           "identity_refresh_tokens WHERE used_at IS NULL)"),
            0);
}

class Kill : public testing::EngineTest {
 protected:
  void check() {
    if (database().is_postgres()) return check_rows(database().postgres());
    check_file(database_url().substr(std::string("sqlite:").size()));
    check_rows(DatabaseFile(database_url().substr(std::string("sqlite:").size())));
  }
  void kill_under_load(int rounds);
};

void Kill::kill_under_load(int rounds) {
  TempDir directory;
  const Server::Options options{.listen = "127.0.0.1:0",
                                .settings = {"identity.login_throttle.enabled=false", "rest.access_log=false",
                                             "database.url=" + database_url()}};
  std::vector<std::unique_ptr<Writer>> writers;
  SignUps sign_ups;
  auto server = std::make_unique<Server>(directory.path(), options);
  for (std::size_t i = 0; i < kWriters; ++i)
    writers.push_back(std::make_unique<Writer>(*server, "writer" + std::to_string(i) + "@example.com"));

  std::atomic<int> written{0};
  for (int round = 0; round < rounds; ++round) {
    for (auto& writer : writers) writer->connect(*server);
    sign_ups.connect(*server);
    const int enough = written + kWritesBeforeTheKill + 7 * round;  // each time at another moment
    const int signed_up = sign_ups.count();
    std::vector<std::thread> threads;
    for (auto& writer : writers) threads.emplace_back([&] { writer->write(round, written); });
    threads.emplace_back([&] { sign_ups.run(round); });
    EXPECT_TRUE(wait_until([&] { return written >= enough && sign_ups.count() > signed_up; }));
    server->kill();
    for (std::thread& thread : threads) thread.join();

    server = std::make_unique<Server>(directory.path(), options);
    check();
    for (auto& writer : writers) writer->check(*server);
    sign_ups.check(*server);
    if (::testing::Test::HasFailure()) break;
  }
  EXPECT_GE(written, rounds * kWritesBeforeTheKill);
  EXPECT_GE(sign_ups.count(), rounds);
  EXPECT_EQ(server->terminate().status, 0);
}

TEST_P(Kill, UnderLoadLosesNothingAndLeavesNothingHalfDone) {
  kill_under_load(kRounds);
}
INSTANTIATE_TEST_SUITE_P(Engines, Kill, testing::every_engine(), testing::engine_name);

class KillSoak : public Kill {};
TEST_P(KillSoak, UnderLoadLosesNothingAndLeavesNothingHalfDone) {
  kill_under_load(kRoundsOfSoak);
}
INSTANTIATE_TEST_SUITE_P(Engines, KillSoak, testing::every_engine(), testing::engine_name);

}  // namespace
}  // namespace bedplate::e2e
