// SPDX-License-Identifier: Apache-2.0
// Data on its way: from SQLite to PostgreSQL and back, into backups and out of them, and back in time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include "server.h"
#include "tests/servers/postgresql_server.h"

namespace bedplate::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::PostgresDatabase;
using testing::PostgresServer;
using testing::PostgresSession;
using testing::shared_postgres;

/// `bedplate COMMAND... --data DIRECTORY --set database.url=URL`.
std::vector<std::string> on(const std::string& directory, const std::string& url,
                            std::vector<std::string> command) {
  command.insert(command.end(), {"--data", directory, "--set", "database.url=" + url});
  return command;
}

Server::Options served_from(const std::string& url) {
  return {.listen = "127.0.0.1:0", .settings = {"database.url=" + url}};
}

/// Ada with a few tasks, in a SQLite database that is not served any more.
struct Embedded {
  TempDir directory;
  Tokens ada;
  std::vector<std::string> tasks;

  Embedded() {
    Server server(directory.path());
    User user(server, "ada@example.com");
    user.create("Buy milk");
    user.call("POST", "/v1/tasks",
              R"({"title": "Grüße", "labels": ["b", "a"], "due_at": "2030-01-31T17:00:00.000001Z"})");
    tasks = user.all_tasks();
    ada = user.tokens();
    server.terminate();
  }
  std::string file() const { return directory / "bedplate.db"; }
};

std::size_t found(User& user, const std::string& words) {
  return Json::parse(user.call("GET", "/v1/tasks?q=" + words).body)["data"].size();
}

// ---- migrate data

TEST(MigrateData, TakesEverythingToPostgresqlWhereItIsServed) {
  const Embedded old;
  const PostgresDatabase database = shared_postgres().create_database();
  const std::string said =
      run_well({"migrate", "data", "--to", database.url(), "--data", old.directory.path()});
  EXPECT_THAT(said, HasSubstr("tasks: 2 rows, checksum "));
  EXPECT_THAT(said, HasSubstr("every value was compared"));
  EXPECT_THAT(said, Not(HasSubstr("bedplate:bedplate"))) << "no password";

  Server server(old.directory.path(), served_from(database.url()));
  User ada(server, "ada@example.com", old.ada);
  EXPECT_EQ(ada.all_tasks(), old.tasks) << "under the token that SQLite's server issued";
  EXPECT_EQ(found(ada, "milk"), 1u) << "the search index was made anew";
  EXPECT_EQ(Json::parse(ada.call("GET", "/v1/tasks?q=gr%C3%BC%C3%9Fe").body)["data"][0]["due_at"].text(),
            "2030-01-31T17:00:00.000001Z");
  ada.create("Written here");
  server.terminate();

  // And back, into a new file.
  const TempDir back;
  run_well(on(old.directory.path(), database.url(),
              {"migrate", "data", "--to", "sqlite:" + (back / "bedplate.db")}));
  EXPECT_EQ(DatabaseFile(back / "bedplate.db").count("SELECT count(*) FROM tasks"), 3);
  const Output again = run(on(old.directory.path(), database.url(),
                              {"migrate", "data", "--to", "sqlite:" + (back / "bedplate.db")}));
  EXPECT_EQ(again.exit.status, 1);
  EXPECT_THAT(again.err, HasSubstr("Data is copied into an empty database only."));
}

TEST(MigrateData, GoesOnAfterBeingKilled) {
  const Embedded old;
  DatabaseFile(old.file())
      .run(
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
          "INSERT INTO tasks (owner, id, title, description, status, labels, created_at, updated_at, "
          "version, title_key) "
          "SELECT (SELECT id FROM identity_users), randomblob(16), 'Task ' || i, '', 'todo', '[]', i, i, 1, "
          "'task ' || i FROM n");
  const PostgresDatabase database = shared_postgres().create_database();
  run_well(on(old.directory.path(), database.url(), {"migrate", "up"}));
  // The second batch waits for as long as the test holds the lock.
  database.rows(
      "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS "
      "$$BEGIN IF (SELECT count(*) FROM tasks) >= 1024 THEN PERFORM pg_advisory_xact_lock(1); END IF; "
      "RETURN NEW; END$$; "
      "CREATE TRIGGER hold BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION hold()");
  const std::vector<std::string> command = {"migrate",      "data",   "--to",
                                            database.url(), "--data", old.directory.path()};
  {
    const PostgresSession lock(database.url());
    lock.rows("SELECT pg_advisory_lock(1)");
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.begin(), binary());
    Process process(arguments);
    ASSERT_TRUE(wait_until([&] { return database.count("SELECT count(*) FROM tasks") >= 1024; }));
    process.kill(SIGKILL);
    EXPECT_EQ(process.wait().signal, SIGKILL);
    EXPECT_THAT(process.err(), Not(HasSubstr("copying"))) << "progress is for terminals";
  }
  database.rows("DROP TRIGGER hold ON tasks");
  EXPECT_EQ(database.count("SELECT count(*) FROM bedplate_data_copy WHERE table_name = ''"), 1);
  EXPECT_GE(database.count("SELECT count(*) FROM tasks"), 1024);
  // A part is not served, not backed up, and taken for no source.
  const std::string key = "identity.key_file=" + old.directory.path() + "/identity.key";
  for (const std::vector<std::string>& use :
       std::vector<std::vector<std::string>>{{"serve", "--listen", "127.0.0.1:0", "--set", key},
                                             {"backup", old.directory.path() + "/half.db"},
                                             {"admin", "grant", "nobody@example.com"}}) {
    const Output refused = run(on(old.directory.path(), database.url(), use));
    EXPECT_EQ(refused.exit.status, 1) << use[0];
    EXPECT_THAT(refused.err, HasSubstr("only a part of what was being copied")) << use[0];
  }
  const std::string said = run_well(command);
  EXPECT_THAT(said, HasSubstr("going on after an interruption"));
  EXPECT_EQ(database.count("SELECT count(*) FROM tasks"), 3002);
  EXPECT_EQ(database.count("SELECT count(*) FROM tasks_search"), 3002);
  EXPECT_EQ(database.count("SELECT count(*) FROM pg_class WHERE relname = 'bedplate_data_copy'"), 0);
}

TEST(MigrateData, NamesARowThatDoesNotFitAndGoesOnWithoutItWhenAskedTo) {
  const Embedded old;
  // As an older version let it in.
  DatabaseFile(old.file()).run(R"(UPDATE tasks SET labels = '["a\u0000b"]' WHERE title = 'Buy milk')");
  const PostgresDatabase database = shared_postgres().create_database();
  std::vector<std::string> command = {"migrate",      "data",   "--to",
                                      database.url(), "--data", old.directory.path()};
  for (int attempt = 0; attempt < 2; ++attempt) {
    const Output output = run(command);
    EXPECT_EQ(output.exit.status, 1);
    EXPECT_THAT(output.err,
                HasSubstr("of tasks cannot be copied, because of its column labels: A text holds "));
    EXPECT_THAT(output.err, HasSubstr("give the same command again"));
    EXPECT_THAT(output.err, HasSubstr("--skip-bad-rows FILE"));
  }
  const std::string file = old.directory / "skipped.jsonl";
  command.insert(command.end(), {"--skip-bad-rows", file});
  const std::string said = run_well(command);
  EXPECT_THAT(said, HasSubstr("not copied: 1 rows, which " + file + " names"));
  EXPECT_EQ(database.count("SELECT count(*) FROM tasks"), 1);
  struct stat info{};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  std::ifstream lines(file);
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  const Json row = Json::parse(line);
  EXPECT_EQ(row["table"].text(), "tasks");
  EXPECT_EQ(row["column"].text(), "labels");
  EXPECT_EQ(row["key"]["id"].text().size(), 36u);
  EXPECT_THAT(row["reason"].text(), HasSubstr("characters that cannot be stored"));
  EXPECT_FALSE(std::getline(lines, line));
}

TEST(MigrateData, FindsARowThatWasTamperedWith) {
  const Embedded old;
  const PostgresDatabase database = shared_postgres().create_database();
  // Every row that comes in is changed a little on its way.
  run_well(on(old.directory.path(), database.url(), {"migrate", "up"}));
  database.rows(
      "CREATE FUNCTION tamper() RETURNS trigger LANGUAGE plpgsql AS "
      "$$BEGIN NEW.due_at := NEW.due_at + interval '1 microsecond'; RETURN NEW; END$$; "
      "CREATE TRIGGER tamper BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION tamper()");
  const Output output = run({"migrate", "data", "--to", database.url(), "--data", old.directory.path()});
  EXPECT_EQ(output.exit.status, 1);
  EXPECT_THAT(output.err, HasSubstr("The copy of tasks differs from its source: 2 rows ("));
}

TEST(MigrateData, SaysWhatIsWrongWithTheUrlOfTheTarget) {
  const Embedded old;
  const auto to = [&](const std::string& url) {
    return run({"migrate", "data", "--to", url, "--data", old.directory.path()});
  };
  const auto expect_wrong_call = [&](const std::string& url, const std::string& why) {
    const Output output = to(url);
    EXPECT_EQ(output.exit.status, 2) << url;
    EXPECT_THAT(output.err, HasSubstr("bedplate: --to " + why)) << url;
    EXPECT_THAT(output.err, Not(HasSubstr("hunter"))) << url;
    EXPECT_THAT(output.err, Not(HasSubstr("database.url"))) << url;
  };
  expect_wrong_call("mysql://root:hunter2@127.0.0.1/x", "must begin with sqlite: or with postgresql://");
  expect_wrong_call("sqlite:", "must name a file: sqlite:PATH.");
  const std::string unreadable = "is not a URL of PostgreSQL that can be read ";
  expect_wrong_call("postgresql://u:hunter%zz2@127.0.0.1/x", unreadable + "(invalid percent-encoded token)");
  expect_wrong_call("postgresql://u:hunter@2@127.0.0.1/x", unreadable + "(its host has an @ in it)");
  expect_wrong_call("postgresql://u:hunter/2@127.0.0.1/x", unreadable + "(its port is no number)");
  expect_wrong_call("postgresql://127.0.0.1/x?hunter=2", unreadable + "(invalid URI query parameter)");
  expect_wrong_call("sqlite:" + old.directory.path() + "/bedplate.db",
                    "names the database that is configured already.");

  const Output nobody = to("postgresql://bedplate:hunter2@127.0.0.1:1/x");
  EXPECT_EQ(nobody.exit.status, 1);
  EXPECT_THAT(nobody.err, HasSubstr("bedplate: The database of --to cannot be reached: "));
  EXPECT_THAT(nobody.err, HasSubstr("Connection refused"));
  EXPECT_THAT(nobody.err, Not(HasSubstr("hunter")));
  EXPECT_THAT(nobody.err, Not(HasSubstr("later")));
  EXPECT_THAT(nobody.err, Not(HasSubstr("What was copied stays")));
}

TEST(MigrateData, IsRefusedWhileTheSourceIsServedAndWhereThereIsNone) {
  const TempDir directory;
  const PostgresDatabase database = shared_postgres().create_database();
  EXPECT_THAT(run({"migrate", "data", "--to", database.url(), "--data", directory.path()}).err,
              HasSubstr("There is no database at "));
  Server server(directory.path());
  EXPECT_THAT(run({"migrate", "data", "--to", database.url(), "--data", directory.path()}).err,
              HasSubstr("serves '" + directory.path() + "'."));
  EXPECT_EQ(run({"migrate", "data", "--data", directory.path()}).exit.status, 2) << "without --to";
}

// ---- backup and restore

TEST(PostgresqlBackup, IsASnapshotThatRestoresOnEitherEngine) {
  const TempDir directory;
  const PostgresDatabase database = shared_postgres().create_database();
  const std::string backup = directory / "backup.db";
  std::vector<std::string> tasks;
  Tokens tokens;
  {
    Server server(directory.path(), served_from(database.url()));
    User ada(server, "ada@example.com");
    ada.create("Buy milk");
    tasks = ada.all_tasks();
    tokens = ada.tokens();
    EXPECT_THAT(run_well(on(directory.path(), database.url(), {"backup", backup})), HasSubstr("backed up "));
    ada.create("After the backup");
    EXPECT_THAT(run(on(directory.path(), database.url(), {"backup", backup})).err,
                HasSubstr("exists already."));
  }
  struct stat info{};
  ASSERT_EQ(::stat(backup.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);

  const PostgresDatabase restored = shared_postgres().create_database();
  EXPECT_THAT(run(on(directory.path(), database.url(), {"restore", backup})).err,
              HasSubstr("Data is copied into an empty database only."));
  run_well(on(directory.path(), restored.url(), {"restore", backup}));
  {
    Server server(directory.path(), served_from(restored.url()));
    HttpConnection http(server.url());
    EXPECT_EQ(http.post("/v1/auth/refresh", R"({"refresh_token":")" + tokens.refresh + "\"}").status, 401)
        << "sessions end with a restore";
    const HttpResponse logged_in = http.post("/v1/auth/login", credentials("ada@example.com"));
    User ada(server, "ada@example.com", tokens_in(logged_in));
    EXPECT_EQ(ada.all_tasks(), tasks);
    EXPECT_EQ(found(ada, "milk"), 1u);
  }
  // The same file in SQLite's place.
  run_well({"restore", backup, "--data", directory.path()});
  EXPECT_EQ(DatabaseFile(directory / "bedplate.db").count("SELECT count(*) FROM tasks"), 1);
}

// ---- Back in time

/// Writes tasks until it has this many acknowledged ones.
std::vector<std::string> write_tasks(User& user, int count) {
  for (int i = 0; i < count; ++i) user.create("Task " + std::to_string(i));
  std::vector<std::string> tasks = user.all_tasks();
  std::ranges::sort(tasks);
  return tasks;
}

// The drill of docs/guides/production-data.md: base backup, archived log, and a database set back to the second before
// somebody deleted everything.
TEST(PointInTimeRestore, FindsExactlyWhatWasAcknowledgedBeforeThePoint) {
  const TempDir directory;
  PostgresServer primary({.durable = true,
                          .settings = {"archive_mode = on", "wal_level = replica",
                                       "archive_command = 'mkdir -p ../archive && cp %p ../archive/%f'"}});
  const PostgresDatabase database = primary.create_database();
  const std::string base = directory / "base";
  Server server(directory.path(), served_from(database.url()));
  User ada(server, "ada@example.com");
  write_tasks(ada, 3);
  const std::string base_backup = testing::postgres_program("pg_basebackup") + " -d '" + primary.admin_url() +
                                  "' -D " + base + " --checkpoint=fast --no-sync";
  ASSERT_EQ(std::system(base_backup.c_str()), 0);  // NOLINT(cert-env33-c): the command of the guide
  const std::vector<std::string> before = write_tasks(ada, 5);
  const std::string point = database.rows("SELECT clock_timestamp()").at(0);
  write_tasks(ada, 2);
  database.rows("DELETE FROM tasks");
  server.terminate();
  const std::string last = database.rows("SELECT pg_walfile_name(pg_current_wal_lsn())").at(0);
  database.rows("SELECT pg_switch_wal()");
  ASSERT_TRUE(wait_until([&] {
    return database.count("SELECT count(*) FROM pg_stat_archiver WHERE last_archived_wal >= '" + last + "'") >
           0;
  }));
  primary.stop();

  std::ofstream(base + "/recovery.signal").flush();
  PostgresServer restored(
      {.durable = true,
       .settings = {"restore_command = 'cp " + primary.directory() + "/archive/%f %p'",
                    "recovery_target_time = '" + point + "'", "recovery_target_action = 'promote'"},
       .data_from = base});
  ASSERT_TRUE(wait_until(
      [&] { return testing::run_sql(restored.admin_url(), "SELECT pg_is_in_recovery()").at(0) == "f"; }));
  Server again(directory.path(), served_from(restored.url(database.name())));
  User same(again, "ada@example.com", ada.tokens());
  std::vector<std::string> after = same.all_tasks();
  std::ranges::sort(after);
  EXPECT_EQ(after, before);
  same.create("Life goes on");
}

}  // namespace
}  // namespace bedplate::e2e
