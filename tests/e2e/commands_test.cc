// SPDX-License-Identifier: Apache-2.0
// The commands beside `serve`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "server.h"

namespace bedplate::e2e {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

void expect_refusal(const Output& output, const std::string& why, int status = 1) {
  EXPECT_EQ(output.exit.status, status);
  EXPECT_EQ(output.exit.signal, 0);
  EXPECT_THAT(output.err, HasSubstr("bedplate: " + why));
}

// ---- The command line

TEST(CommandLine, TellsItsVersionAndWhatItCan) {
  EXPECT_THAT(run_well({"--version"}), ::testing::MatchesRegex("bedplate [0-9]+\\.[0-9]+\\.[0-9]+\n"));
  const std::string help = run_well({"--help"});
  for (const char* command :
       {"serve", "migrate", "config", "openapi", "health", "metrics", "backup", "restore", "admin", "demo"})
    EXPECT_THAT(help, HasSubstr(std::string("\n  ") + command + " "));
  for (const char* inner : {"`config reference`", "`migrate data` copies"})
    EXPECT_THAT(help, HasSubstr(inner));
  EXPECT_THAT(run_well({"serve", "--help"}), HasSubstr("--listen HOST:PORT"));
  const std::string admin = run_well({"admin", "--help"});
  for (const char* command : {"list", "grant", "revoke", "reset-password", "disable", "enable", "delete"})
    EXPECT_THAT(admin, HasSubstr(std::string("\n  ") + command + " "));
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{{},
                                                                     {"srve"},
                                                                     {"serve", "--lisen", "x"},
                                                                     {"serve", "more"},
                                                                     {"backup"},
                                                                     {"migrate"},
                                                                     {"admin", "promote", "x@example.com"},
                                                                     {"admin", "grant"}}) {
    const Output output = run(arguments);
    EXPECT_EQ(output.exit.status, 2) << output.err;
    EXPECT_EQ(output.out, "");
    EXPECT_THAT(output.err, HasSubstr("bedplate"));
  }
  EXPECT_THAT(run({"srve"}).err, HasSubstr("there is no command 'srve'; did you mean 'serve'?"));
}

// ---- migrate

// A slip in --data must not become a new, empty database beside the real one.
TEST(Place, WithoutADatabaseIsRefusedByWhatNeedsOneAndNothingIsMade) {
  TempDir directory;
  const std::string missing = directory / "mistyped", empty = directory / "empty";
  std::filesystem::create_directory(empty);
  const std::string file = directory / "backup.db";
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"admin", "grant", "ada@example.com"},
                                             {"admin", "reset-password", "ada@example.com"},
                                             {"migrate", "status"},
                                             {"migrate", "up", "--dry-run"},
                                             {"migrate", "down", "tasks"},
                                             {"migrate", "data", "--to", "sqlite:" + file},
                                             {"backup", file}}) {
    for (const std::string& place : {missing, empty}) {
      std::vector<std::string> arguments = command;
      arguments.insert(arguments.end(), {"--data", place});
      const Output output = run(arguments);
      expect_refusal(output, "There is no database at " + place + "/bedplate.db");
      EXPECT_THAT(output.err, HasSubstr("Is --data (data.directory) right?")) << command[0];
    }
    EXPECT_FALSE(std::filesystem::exists(missing)) << command[0];
    EXPECT_TRUE(std::filesystem::is_empty(empty)) << command[0];
    EXPECT_FALSE(std::filesystem::exists(file)) << command[0];
  }
}

TEST(Place, IsNotTouchedByAWrongCallOrConfiguration) {
  TempDir directory;
  const std::string place = directory / "data";
  const auto refused = [&](std::vector<std::string> arguments, const std::string& why) {
    arguments.insert(arguments.end(), {"--data", place});
    expect_refusal(run(arguments), why, 2);
    EXPECT_FALSE(std::filesystem::exists(place)) << why;
  };
  refused({"serve", "--listen", "nonsense"},
          "--listen: server.listen: \"nonsense\" is not an address: write ");
  refused({"serve", "--set", "server.listen=127.0.0.1:99999"},
          "--set server.listen: server.listen: \"127.0.0.1:99999\" is not an address: write ");
  refused({"serve", "--set", "server.trusted_proxies=10.0.0.0/99"},
          "--set server.trusted_proxies: server.trusted_proxies: ");
  refused({"serve", "--set", "cache.url=rediss:/x"}, "--set cache.url: cache.url: ");
  refused({"serve", "--set", "database.url=mysql://x"},
          "--set database.url: database.url must begin with sqlite: or with postgresql://");
  refused({"serve", "--set", "database.url=sqlite:"},
          "--set database.url: database.url must name a file: sqlite:PATH.");
  refused({"serve", "--set", "database.url=sqlite::memory:"},
          "--set database.url: database.url must name a file: sqlite:PATH. A database in memory");
  refused({"serve", "--set", "database.url=sqlite:file:x.db"},
          "--set database.url: database.url must name a file: sqlite:PATH. URIs of SQLite");
  refused({"demo", "--set", "database.url=mysql://x"}, "--set database.url: ");
  // All that is wrong at once.
  const Output all = run({"serve", "--listen", "nonsense", "--set", "database.url=x", "--data", place});
  EXPECT_THAT(all.err, HasSubstr("--listen: "));
  EXPECT_THAT(all.err, HasSubstr("\n--set database.url: "));
}

TEST(Migrate, ShowsWhatIsPendingAndAppliesIt) {
  TempDir directory;
  const std::vector<std::string> data = {"--data", directory.path()};
  const auto migrate = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "migrate");
    arguments.insert(arguments.end(), data.begin(), data.end());
    return run_well(std::move(arguments));
  };
  const std::string pending =
      "idempotency 0001 idempotency: pending\naudit 0001 audit: pending\nevents 0001 events: pending\n"
      "events 0002 consumers: pending\n"
      "jobs 0001 jobs: pending\njobs 0002 cron: pending\nidentity 0001 identity: pending\n"
      "tasks 0001 tasks: pending\ntasks_search 0001 tasks_search: pending\n";
  DatabaseFile::make(directory / "bedplate.db");
  EXPECT_EQ(migrate({"status"}), pending);
  EXPECT_THAT(migrate({"up", "--dry-run"}), HasSubstr("would apply tasks 1 tasks\n"));
  EXPECT_EQ(migrate({"status"}), pending) << "a dry run changes nothing";
  EXPECT_EQ(migrate({"up"}),
            "applied idempotency 1 idempotency\napplied audit 1 audit\napplied events 1 events\n"
            "applied events 2 consumers\n"
            "applied jobs 1 jobs\napplied jobs 2 cron\n"
            "applied identity 1 identity\napplied tasks 1 tasks\napplied tasks_search 1 tasks_search\n");
  EXPECT_EQ(migrate({"up"}), "nothing to do\n");
  EXPECT_THAT(migrate({"status"}), Not(HasSubstr("pending")));
  EXPECT_EQ(migrate({"down", "tasks", "--dry-run"}), "would roll back tasks 1 tasks\n");
  EXPECT_THAT(migrate({"status"}), Not(HasSubstr("pending")));
  EXPECT_EQ(migrate({"down", "tasks"}), "rolled back tasks 1 tasks\n");
  EXPECT_THAT(migrate({"status"}), HasSubstr("tasks 0001 tasks: pending\n"));
  EXPECT_EQ(migrate({"down", "tasks"}), "nothing to do\n");
}

TEST(Migrate, RefusesAnUnknownModule) {
  TempDir directory;
  expect_refusal(
      run({"migrate", "down", "task", "--data", directory.path()}),
      "There is no module 'task'. The modules are: idempotency, audit, events, jobs, identity, tasks, "
      "tasks_search.\n",
      2);
}

TEST(Migrate, LeavesAServedDatabaseAlone) {
  TempDir directory;
  Server server(directory.path());
  expect_refusal(run({"migrate", "up", "--data", directory.path()}), "Another process (pid ");
  expect_refusal(run({"migrate", "down", "tasks", "--data", directory.path()}), "Another process (pid ");
  EXPECT_THAT(run_well({"migrate", "status", "--data", directory.path()}),
              HasSubstr("tasks 0001 tasks: applied"));
}

TEST(Migrate, ServingLeavesItToTheFleetWhenTold) {
  TempDir directory;
  expect_refusal(run({"serve", "--data", directory.path(), "--set", "database.migrate=false"}),
                 "The schema of idempotency is at version 0, this program needs 1. Run: migrate up\n");
}

TEST(Migrate, RefusesAnAppliedFileThatHasChanged) {
  TempDir directory;
  run_well({"migrate", "up", "--data", directory.path()});
  DatabaseFile database(directory / "bedplate.db");
  const std::string table =
      database.column("SELECT name FROM sqlite_schema WHERE name LIKE '%migrations'").at(0);
  database.run("UPDATE " + table + " SET checksum = replace(checksum, substr(checksum, 1, 4), 'beef') " +
               "WHERE module = 'tasks'");
  expect_refusal(run({"serve", "--data", directory.path()}), "The migration ");
  EXPECT_THAT(run({"migrate", "up", "--data", directory.path()}).err,
              HasSubstr("of tasks was changed after it had been applied."));
  EXPECT_THAT(run_well({"migrate", "status", "--data", directory.path()}), HasSubstr(", CHANGED since\n"));
}

// ---- openapi, demo

TEST(OpenApi, IsPrintedAsItIsServed) {
  TempDir directory;
  Server server(directory.path());
  const std::string printed = run_well({"openapi"});
  const Json document = Json::parse(printed);
  EXPECT_EQ(document["openapi"].text(), "3.1.0");
  EXPECT_EQ(document["info"]["license"]["identifier"].text(), "Apache-2.0");
  for (const char* kind : {"headers", "responses", "schemas"})
    for (const std::string& name : document["components"][kind].names())
      EXPECT_NE(printed.find("\"#/components/" + std::string(kind) + "/" + name + "\""), std::string::npos)
          << kind << " " << name << " is used by nobody";
  EXPECT_TRUE(document["paths"]["/v1/tasks/{id}"]["patch"].is_object());
  const HttpResponse served = HttpConnection(server.url()).get("/openapi.json");
  EXPECT_EQ(served.status, 200);
  EXPECT_EQ(served.body + "\n", printed);
}

TEST(Demo, MakesUsersWhoCanLogIn) {
  TempDir directory;
  const std::string shown = run_well({"demo", "--data", directory.path()});
  ASSERT_THAT(shown, HasSubstr("shown this once"));
  Server server(directory.path());
  HttpConnection http(server.url());
  for (const char* email : {"ada@example.com", "grace@example.com"}) {
    std::string password = shown.substr(shown.find(email) + std::string(email).size());
    password = password.substr(password.find_first_not_of(' '));
    password = password.substr(0, password.find('\n'));
    const HttpResponse answer = http.post("/v1/auth/login", credentials(email, password));
    ASSERT_EQ(answer.status, 200) << answer.body;
    User user(server, email, tokens_in(answer));
    EXPECT_EQ(user.all_tasks().size(), 8u);
    EXPECT_EQ(Json::parse(user.call("GET", "/v1/tasks?q=milk").body)["data"].size(), 1u);
  }
  for (const std::string& hash :
       DatabaseFile(directory / "bedplate.db").column("SELECT password_hash FROM identity_users"))
    EXPECT_THAT(hash, StartsWith("$argon2id$"));
}

TEST(Demo, RefusesADirectoryWithUsers) {
  TempDir directory;
  Server server(directory.path());
  User ada(server, "ada@example.com");
  expect_refusal(run({"demo", "--data", directory.path()}), "There are users here already.");
  EXPECT_THAT(ada.all_tasks(), IsEmpty());
}

// ---- admin, beside a running server

class Admin : public ::testing::Test {
 protected:
  Output admin(const std::string& command, const std::string& email = "ada@example.com") {
    return run({"admin", command, email, "--data", directory_.path(), "--set",
                "identity.password_memory_kib=19456"});
  }
  std::string admin_well(const std::string& command) {
    const Output output = admin(command);
    EXPECT_EQ(output.exit.status, 0) << output.err;
    EXPECT_THAT(output.err, Not(HasSubstr(R"("level":"info")"))) << "an operator reads answers, not logs";
    return output.out;
  }
  HttpResponse log_in(std::string_view password = kPassword) {
    return HttpConnection(server_.url()).post("/v1/auth/login", credentials("ada@example.com", password));
  }
  std::vector<std::string> roles() {
    const Json me = Json::parse(ada_.call("GET", "/v1/me").body);
    std::vector<std::string> names;
    for (const Json& role : me["roles"].items()) names.push_back(role.text());
    return names;
  }
  bool refused_soon() {
    return wait_until([this] { return ada_.call("GET", "/v1/me").status == 401; });
  }

  TempDir directory_;
  Server server_{directory_.path()};
  User ada_{server_, "ada@example.com"};
};

TEST_F(Admin, GrantAndRevokeReachTheRunningServer) {
  EXPECT_EQ(admin_well("grant"), "ada@example.com: is an administrator now\n");
  EXPECT_TRUE(refused_soon()) << "a token of the old rights is good no more";
  ada_.tokens() = tokens_in(log_in());
  EXPECT_THAT(roles(), ::testing::Contains("admin"));
  EXPECT_EQ(admin_well("revoke"), "ada@example.com: is no longer an administrator\n");
  EXPECT_TRUE(refused_soon());
  ada_.tokens() = tokens_in(log_in());
  EXPECT_THAT(roles(), ::testing::ElementsAre("user"));
}

TEST_F(Admin, DisableAndEnable) {
  EXPECT_EQ(admin_well("disable"), "ada@example.com: disabled\n");
  EXPECT_TRUE(refused_soon());
  const HttpResponse refused = log_in();
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(Json::parse(refused.body)["code"].text(), "account_disabled");
  const HttpResponse refresh =
      ada_.http().post("/v1/auth/refresh", R"({"refresh_token":")" + ada_.tokens().refresh + R"("})");
  EXPECT_EQ(refresh.status, 401);
  EXPECT_EQ(admin_well("enable"), "ada@example.com: enabled\n");
  EXPECT_EQ(log_in().status, 200);
}

TEST_F(Admin, ResetPassword) {
  const std::string shown = admin_well("reset-password");
  const std::string before = "ada@example.com: the new password is ";
  ASSERT_THAT(shown, StartsWith(before));
  const std::string password = shown.substr(before.size(), shown.find('\n') - before.size());
  EXPECT_TRUE(refused_soon());
  EXPECT_EQ(log_in().status, 401);
  EXPECT_EQ(log_in(password).status, 200);
  EXPECT_THAT(server_.process().err(), Not(HasSubstr(password)));
}

TEST_F(Admin, DeleteTakesEverythingOfTheUserAlong) {
  ada_.create("Soon gone");
  User grace(server_, "grace@example.com");
  grace.create("Stays");
  EXPECT_EQ(admin_well("delete"), "ada@example.com: deleted\n");
  EXPECT_TRUE(refused_soon());
  EXPECT_EQ(log_in().status, 401);
  EXPECT_EQ(grace.all_tasks().size(), 1u);
  DatabaseFile database(directory_ / "bedplate.db");
  EXPECT_EQ(database.count("SELECT count(*) FROM tasks"), 1);
  EXPECT_EQ(database.count("SELECT count(*) FROM tasks_search_words_docsize"), 1);
  EXPECT_EQ(database.count("SELECT count(*) FROM identity_sessions"), 1);
}

TEST_F(Admin, ListsUsers) {
  User grace(server_, "grace@example.com");
  admin_well("grant");
  ASSERT_EQ(admin("disable", "grace@example.com").exit.status, 0);
  const std::string table = run_well({"admin", "list", "--data", directory_.path()});
  EXPECT_THAT(table, ::testing::ContainsRegex("ada@example.com +user, admin +- +20[0-9-]+T[0-9:]+Z\n"));
  EXPECT_THAT(table, ::testing::ContainsRegex("grace@example.com +user +disabled -\n"));
  const Json list = Json::parse(run_well({"admin", "list", "--json", "--data", directory_.path()}));
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0]["email"].text(), "ada@example.com");
  EXPECT_EQ(list[0]["roles"].size(), 2u);
  EXPECT_TRUE(list[0]["last_seen_at"].is_text());
  EXPECT_TRUE(list[1]["disabled_at"].is_text());
  EXPECT_FALSE(list[1].has("password_hash"));
  EXPECT_EQ(admin("delete", "ada@example.com").exit.status, 0);
  EXPECT_EQ(admin("delete", "grace@example.com").exit.status, 0);
  EXPECT_EQ(run_well({"admin", "list", "--json", "--data", directory_.path()}), "[]\n");
}

TEST_F(Admin, AnUnknownAddressIsAClearError) {
  for (const char* command : {"grant", "revoke", "reset-password", "disable", "enable", "delete"})
    expect_refusal(admin(command, "bob@example.com"),
                   "There is no user with the e-mail address bob@example.com.\n");
  EXPECT_EQ(ada_.call("GET", "/v1/me").status, 200);
}

// ---- backup and restore

TEST(Backup, IsPrivateAndNeverReplacesAFile) {
  TempDir directory;
  expect_refusal(run({"backup", directory / "b.db", "--data", directory / "data"}),
                 "There is no database at ");
  Server server(directory / "data");
  EXPECT_THAT(run_well({"backup", directory / "b.db", "--data", directory / "data"}),
              StartsWith("backed up "));
  struct stat info{};
  ASSERT_EQ(::stat((directory / "b.db").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  expect_refusal(run({"backup", directory / "b.db", "--data", directory / "data"}),
                 directory / "b.db" + " exists already.\n");
  expect_refusal(run({"backup", directory / "nowhere/b.db", "--data", directory / "data"}), "Cannot create ");
}

TEST(Backup, ThatCannotBeWrittenSaysWhyAndLeavesNothing) {
  TempDir directory;
  const std::string data = directory / "data", file = directory / "b.db";
  run_well({"demo", "--data", data});
  // No file may become larger than 32 KiB, as on a disk that is full: the write fails in the middle.
  const Output output = Process::run({"/bin/sh", "-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"",
                                      binary(), "backup", file, "--data", data});
  expect_refusal(output, "Cannot write " + file + ".part: File too large.\n");
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_FALSE(std::filesystem::exists(file + ".part"));
  expect_refusal(run({"backup", directory.path(), "--data", data}), directory.path() + " exists already.");
}

TEST(Backup, ShowsItsProgressOnATerminalOnly) {
  TempDir directory;
  const std::string data = directory / "data", file = directory / "b.db";
  run_well({"demo", "--data", data});
  const Output piped = run({"backup", directory / "piped.db", "--data", data});
  EXPECT_EQ(piped.exit.status, 0);
  EXPECT_EQ(piped.err, "");
  const auto on_terminal = [](const std::string& command) {
    return Process::run({"script", "-qec", binary() + " " + command, "/dev/null"}, {{"SHELL", "/bin/sh"}})
        .out;
  };
  const std::string shown = on_terminal("backup " + file + " --data " + data);
  EXPECT_THAT(shown, HasSubstr("\r\x1b[Kbacking up: 0 of 1 MiB"));
  EXPECT_THAT(shown, HasSubstr("\r\x1b[Kchecking the copy"));
  EXPECT_THAT(shown, HasSubstr("\r\x1b[Kbacked up ")) << "the line is gone before the answer";
  const std::string restored = on_terminal("restore " + file + " --data " + data);
  EXPECT_THAT(restored, HasSubstr("restoring: 0 of 1 MiB"));
  EXPECT_THAT(restored, HasSubstr("restored "));
}

TEST(Backup, UnderWriteLoadIsOneMomentAndComesBack) {
  TempDir directory;
  const std::string data = directory / "data", other = directory / "other", file = directory / "backup.db";
  std::vector<std::string> before;
  Tokens tokens;
  {
    Server server(data);
    User ada(server, "ada@example.com");
    tokens = ada.tokens();
    for (int i = 0; i < 50; ++i) before.push_back(ada.create("Before the backup"));
    std::atomic<bool> enough{false};
    std::atomic<int> written{0};
    std::vector<std::thread> writers;
    for (int i = 0; i < 3; ++i)
      writers.emplace_back([&] {
        User again(server, "ada@example.com", tokens);
        while (!enough) {
          again.create("While the backup runs");
          ++written;
        }
      });
    EXPECT_TRUE(wait_until([&] { return written > 20; }));
    run_well({"backup", file, "--data", data});
    const int then = written;
    EXPECT_TRUE(wait_until([&] { return written > then; })) << "writing goes on";
    enough = true;
    for (std::thread& writer : writers) writer.join();
    expect_refusal(run({"restore", file, "--data", data}), "Another process (pid ");
    EXPECT_EQ(ada.call("GET", "/v1/me").status, 200);
    EXPECT_EQ(server.terminate().status, 0);
  }
  EXPECT_THAT(run_well({"restore", file, "--data", other}), HasSubstr("restored "));
  {
    DatabaseFile database(other + "/bedplate.db");
    EXPECT_EQ(database.column("PRAGMA integrity_check"), std::vector<std::string>{"ok"});
    EXPECT_EQ(database.count("SELECT count(*) FROM tasks"),
              database.count("SELECT count(*) FROM tasks_search_words_docsize"));
  }
  Server server(other);
  User ada(server, "ada@example.com", tokens);
  EXPECT_EQ(ada.call("GET", "/v1/me").status, 401) << "access tokens of the old life are refused";
  const HttpResponse refreshed =
      ada.http().post("/v1/auth/refresh", R"({"refresh_token":")" + tokens.refresh + R"("})");
  EXPECT_EQ(refreshed.status, 401);
  ada.tokens() = tokens_in(ada.http().post("/v1/auth/login", credentials("ada@example.com")));
  EXPECT_THAT(ada.all_tasks(), ::testing::IsSupersetOf(before));
  EXPECT_EQ(Json::parse(ada.call("GET", "/v1/tasks?q=before&limit=100").body)["data"].size(), before.size());
}

TEST(Restore, KeepsWhatItReplaces) {
  TempDir directory;
  const std::string data = directory / "data";
  run_well({"demo", "--data", data});
  run_well({"backup", directory / "b.db", "--data", data});
  run_well({"admin", "delete", "grace@example.com", "--data", data});
  run_well({"restore", directory / "b.db", "--data", data});
  EXPECT_EQ(DatabaseFile(data + "/bedplate.db").count("SELECT count(*) FROM identity_users"), 2);
  EXPECT_EQ(DatabaseFile(data + "/bedplate.db.before-restore").count("SELECT count(*) FROM identity_users"),
            1);
}

TEST(Restore, RefusesFilesThatAreNoBackupsBeforeItTouchesTheData) {
  TempDir directory;
  const std::string data = directory / "data", good = directory / "b.db", file = directory / "bad.db";
  run_well({"demo", "--data", data});
  run_well({"backup", good, "--data", data});
  const auto refused = [&](const std::string& why) {
    expect_refusal(run({"restore", file, "--data", data}), why);
    EXPECT_EQ(DatabaseFile(data + "/bedplate.db").count("SELECT count(*) FROM identity_users"), 2);
    EXPECT_FALSE(std::filesystem::exists(data + "/bedplate.db.before-restore")) << why;
    EXPECT_FALSE(std::filesystem::exists(data + "/bedplate.db.restore")) << why;
  };
  refused("There is no backup at " + file);
  std::ofstream(file) << std::string(9000, 'x');
  refused(file + " is not a SQLite database.");

  const auto copy = [&] {
    std::filesystem::copy_file(good, file, std::filesystem::copy_options::overwrite_existing);
  };
  copy();
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 4096);
  refused("The copy of " + file + " is damaged: ");

  copy();
  DatabaseFile(file).run("UPDATE schema_migrations SET version = 7 WHERE module = 'tasks'");
  refused("");  // a newer program's, of which this one knows nothing
  std::filesystem::remove(file);
  DatabaseFile::make(file);
  DatabaseFile(file).run("CREATE TABLE bookmarks (url TEXT)");
  refused(file + " is a SQLite database, but no backup of bedplate.");

  // Neither slip makes the other one's place.
  expect_refusal(run({"restore", directory / "none.db", "--data", directory / "nowhere"}),
                 "There is no backup at ");
  EXPECT_FALSE(std::filesystem::exists(directory / "nowhere"));
  expect_refusal(run({"restore", file, "--data", directory / "nowhere"}),
                 file + " is a SQLite database, but no backup of bedplate.");
  EXPECT_FALSE(std::filesystem::exists(directory / "nowhere"));
}

TEST(Restore, LeavesNothingBesideTheBackup) {
  TempDir directory;
  const std::string medium = directory / "medium", data = directory / "data";
  std::filesystem::create_directory(medium);
  run_well({"demo", "--data", data});
  {
    Server server(data);
    run_well({"backup", medium + "/b.db", "--data", data});
  }
  run_well({"restore", medium + "/b.db", "--data", directory / "drill"});
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(medium))
    names.push_back(entry.path().filename());
  EXPECT_THAT(names, ::testing::ElementsAre("b.db"));
  EXPECT_EQ(DatabaseFile(directory / "drill/bedplate.db").count("SELECT count(*) FROM identity_users"), 2);
}

// ---- The key file

TEST(KeyFile, ThatIsNotTheRightOneIsRefusedWithTheWayOut) {
  TempDir directory;
  const std::string one = directory / "one", two = directory / "two";
  Tokens tokens;
  {
    Server server(one);
    tokens = User(server, "ada@example.com").tokens();
    EXPECT_EQ(server.terminate().status, 0);
  }
  Server(two).terminate();
  const auto refuses = [&](const std::string& key) {
    expect_refusal(
        run({"serve", "--data", one, "--listen", "127.0.0.1:0", "--set", "identity.key_file=" + key}),
        "The signing keys in the database were sealed with another key file than " + key +
            ". Put that one there, or name it with identity.key_file: ");
  };
  refuses(two + "/identity.key");
  {
    const std::string moved = directory / "moved.key";
    std::filesystem::rename(one + "/identity.key", moved);
    Server server(one, {.settings = {"identity.key_file=" + moved}});
    EXPECT_EQ(User(server, "ada@example.com", tokens).call("GET", "/v1/me").status, 200);
    EXPECT_EQ(server.terminate().status, 0);
  }
  // Lost.
  const std::string fresh = directory / "fresh.key";
  refuses(fresh);
  DatabaseFile(one + "/bedplate.db").run("DELETE FROM identity_signing_keys");
  Server server(one, {.settings = {"identity.key_file=" + fresh}});
  HttpConnection http(server.url());
  EXPECT_EQ(User(server, "ada@example.com", tokens).call("GET", "/v1/me").status, 401);
  EXPECT_EQ(http.post("/v1/auth/login", credentials("ada@example.com")).status, 200);
}

}  // namespace
}  // namespace bedplate::e2e
