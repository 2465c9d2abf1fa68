// SPDX-License-Identifier: Apache-2.0
// Behind pgbouncer in transaction mode: fewer connections to the server than callers hold to the pooler, and
// each transaction gets any of them.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "bedplate/async/loop.h"
#include "bedplate/sql/database.h"
#include "bedplate/sql/maintenance.h"
#include "bedplate/sql/postgresql/postgresql.h"
#include "tests/servers/daemon.h"
#include "tests/servers/postgresql_server.h"

namespace bedplate::sql {
namespace {

using bedplate::testing::Daemon;
using bedplate::testing::PostgresAddress;
using bedplate::testing::PostgresDatabase;
using bedplate::testing::PostgresServer;
using bedplate::testing::ServerDirectory;
using bedplate::testing::ServerPort;

class Pooler : public ::testing::Test {
 protected:
  Pooler() : directory_("pgbouncer"), place_(server_.create_database()) {
    start_pooler();
    options_.url = address_.url(place_.name());
    options_.transaction_pooler = true;
    options_.shared_read_time_max_ms = 5000;  // a starved machine moves no read
    open();
    auto maintenance = std::move(*database_->maintenance());
    EXPECT_TRUE(maintenance->begin());
    EXPECT_TRUE(
        maintenance->run_script("CREATE TABLE entries (id bigint PRIMARY KEY, tenant uuid, note text)"));
    EXPECT_TRUE(maintenance->commit());
  }

  void start_pooler() {
    address_ = PostgresAddress(port_.number(), server_.address().password());
    bedplate::testing::write_server_file(directory_ / "users",
                                         "\"bedplate\" \"" + server_.address().password() + "\"\n");
    bedplate::testing::write_server_file(
        directory_ / "ini",
        "[databases]\n* = host=127.0.0.1 port=" + std::to_string(server_.address().port()) +
            "\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " + std::to_string(address_.port()) +
            "\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = " + (directory_ / "users") +
            "\npool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 200\n");
    pgbouncer_.start({.arguments = {"/usr/sbin/pgbouncer", directory_ / "ini"}, .log = directory_ / "log"});
  }
  void open() {
    const bool is_open = bedplate::testing::wait_until([this] {
      Result<std::unique_ptr<Database>> opened = open_postgresql(options_);
      if (opened) database_ = std::move(*opened);
      return opened.has_value();
    });
    if (!is_open) bedplate::testing::server_failed("pgbouncer did not start", directory_ / "log");
  }
  template <class T>
  Result<T> run(Async<T> coroutine) {
    return run_to_end(loop_, std::move(coroutine));
  }

  PostgresServer server_;
  ServerDirectory directory_;
  PostgresDatabase place_;
  ServerPort port_;
  PostgresAddress address_;
  Daemon pgbouncer_;
  PostgresqlOptions options_;
  Loop loop_;
  std::unique_ptr<Database> database_;
};

Async<void> insert(Transaction& tx, std::int64_t id) {
  co_await ok(
      tx.run("INSERT INTO entries (id, tenant, note) VALUES ($1, "
             "nullif(current_setting('bedplate.tenant', true), '')::uuid, $2)",
             id, "note"));
}
Async<std::int64_t> count(Reader& db, std::string_view note) {
  const std::int64_t n =
      co_await ok(db.value<std::int64_t>("SELECT count(*) FROM entries WHERE note = $1", note));
  co_return n;
}
Async<std::string> tenant(Reader& db) {
  const std::string text =
      co_await ok(db.value<std::string>("SELECT coalesce(current_setting('bedplate.tenant', true), '')"));
  co_return text;
}
Async<void> write_through_a_reader(Reader& db) {
  co_await ok(db.maybe<std::int64_t>("DELETE FROM entries RETURNING 1"));
}
Async<std::int64_t> sleep_long(Reader& db) {
  const std::int64_t n = co_await ok(db.value<std::int64_t>("SELECT 1::bigint FROM pg_sleep(0.3)"));
  co_return n;
}

struct Callers {
  Database& db;
  Loop& loop;
  int running = 0;
  int wrong = 0;

  Async<void> work(std::int64_t from) {
    for (std::int64_t id = from; id < from + 5; ++id) {
      Result<void> done = co_await db.transact(&insert, id);
      Result<std::int64_t> n = co_await db.read(&count, std::string_view("note"));
      if (!done || !n || *n < 1) ++wrong;
      CallContext context(new_uuid());
      Result<std::string> seen = co_await db.read(context, &tenant);
      if (!seen || *seen != context.tenant->to_string()) ++wrong;
      Result<std::string> none = co_await db.read(&tenant);
      if (!none || !none->empty()) ++wrong;
    }
    if (--running == 0) loop.stop();
  }
};

TEST_F(Pooler, ManyCallersShareFewConnectionsOfTheServer) {
  Callers callers{*database_, loop_};
  for (callers.running = 0; callers.running < 40; ++callers.running)
    loop_.spawn(callers.work(callers.running * 100));
  loop_.run();
  EXPECT_EQ(callers.wrong, 0);
  EXPECT_EQ(run(database_->read(&count, std::string_view("note"))), 200);
  EXPECT_LE(
      place_.count("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename "
                   "= 'bedplate'"),
      3);
}

TEST_F(Pooler, LimitsHoldWithoutSettingsOfTheSession) {
  options_.shared_read_time_max_ms = 100;
  open();
  EXPECT_EQ(run(database_->read(&write_through_a_reader)).error().code(), kReadOnly);
  const std::uint64_t before = database_->stats().reads_moved;  // none, on a machine that is not busy
  EXPECT_EQ(run(database_->read(&sleep_long)), 1);              // it left the shared connection
  EXPECT_EQ(database_->stats().reads_moved, before + 1);
}

}  // namespace
}  // namespace bedplate::sql
