// SPDX-License-Identifier: Apache-2.0
// sql-postgres: what the Database port reaches on PostgreSQL.
//   point_read    one row by a random id of 100 k, from 64 coroutines on one loop over two connections, against
//                 libpq awaited: as many callers on two connections, each of which has one query under way;
//   transaction   an update of one row, durable, from 64 coroutines on eight connections, against libpq awaited:
//                 BEGIN, UPDATE, COMMIT one by one on eight connections.
//
//   sql_postgres_bench URL          of an empty database on a server on this machine
#include <postgresql/libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bedplate/async/loop.h"
#include "bedplate/describe/describe.h"
#include "bedplate/sql/postgresql/postgresql.h"

namespace {

using namespace bedplate;

constexpr int kRows = 100'000;
constexpr int kRounds = 7;
constexpr int kCallers = 64;
constexpr int kReads = 32'000;  // a round
constexpr int kWrites = 2'000;
constexpr std::size_t kReadConnections = 2;
constexpr std::size_t kWriteConnections = 8;
constexpr const char* kFind = "SELECT id, title, body, created_at FROM rows WHERE id = $1";
constexpr const char* kTouch = "UPDATE rows SET title = 'touched' WHERE id = $1";

struct Row {
  std::int64_t id = 0;
  std::string title;
  std::string body;
  Time created_at;

  static consteval auto describe() {
    using namespace schema;
    return object<Row>(
        "A row", {field<&Row::id>(), field<&Row::title>(), field<&Row::body>(), field<&Row::created_at>()});
  }
};

void require(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "sql_postgres_bench: %s\n", what);
  std::exit(1);
}

struct Random {
  std::uint32_t state = 1;
  std::int64_t row() {
    state = state * 1664525 + 1013904223;
    return 1 + (state >> 4) % kRows;
  }
};

// ---- ours

Async<Row> find(sql::Reader& db, std::int64_t id) {
  Row row = co_await ok(db.one<Row>(kFind, id));
  co_return row;
}
Async<void> touch(sql::Transaction& tx, std::int64_t id) {
  co_await ok(tx.run(kTouch, id));
}

struct Ours {
  sql::Database& db;
  Loop& loop;
  Random random;
  int left = 0;
  int running = 0;

  Async<void> read() {
    while (left-- > 0) {
      const std::int64_t id = random.row();
      Result<Row> row = co_await db.read(&find, id);
      require(row && row->id == id, "read another row");
    }
    if (--running == 0) loop.stop();
  }
  Async<void> write() {
    while (left-- > 0) {
      Result<void> done = co_await db.transact(&touch, random.row());
      require(done.has_value(), "a transaction failed");
    }
    if (--running == 0) loop.stop();
  }
  void run(int count, bool writes) {
    left = count;
    running = kCallers;
    for (int i = 0; i < kCallers; ++i) loop.spawn(writes ? write() : read());
    loop.run();
  }
};

// ---- libpq awaited: one query under way on each connection, callers wait for a free one

class Awaited final : public FdWatch {
 public:
  struct Pool {
    std::deque<int> callers;  ///< that wait for a connection
    std::vector<Awaited*> free;
    Random random;
    int left = 0;
    int running = 0;
    bool writes = false;
    Loop* loop = nullptr;
  };

  static PGconn* connect(const std::string& url) {
    PGconn* connection = PQconnectdb(url.c_str());
    require(PQstatus(connection) == CONNECTION_OK, "cannot connect");
    PQclear(PQprepare(connection, "find", kFind, 0, nullptr));
    PQclear(PQprepare(connection, "touch", kTouch, 0, nullptr));
    PQsetnonblocking(connection, 1);
    return connection;
  }
  Awaited(Pool& pool, Loop& loop, PGconn* connection)
      : FdWatch(loop, PQsocket(connection)), pool_(pool), connection_(connection) {
    require(want(true, false).has_value(), "cannot watch");
  }
  ~Awaited() override {
    static_cast<void>(want(false, false));
    PQfinish(connection_);
  }

  void start(int caller) {
    caller_ = caller;
    step_ = 0;
    id_ = pool_.random.row();
    send();
  }

 private:
  void send() {
    if (pool_.writes && step_ != 1) {
      PQsendQuery(connection_, step_ == 0 ? "BEGIN" : "COMMIT");
    } else {
      const auto big = __builtin_bswap64(static_cast<std::uint64_t>(id_));
      const char* values[] = {reinterpret_cast<const char*>(&big)};
      const int lengths[] = {8};
      const int formats[] = {1};
      PQsendQueryPrepared(connection_, pool_.writes ? "touch" : "find", 1, values, lengths, formats, 1);
    }
    PQflush(connection_);
  }
  void on_ready(bool, bool) override {
    require(PQconsumeInput(connection_) == 1, "the connection broke");
    while (PQisBusy(connection_) == 0) {
      PGresult* result = PQgetResult(connection_);
      if (!result) return next();
      if (!pool_.writes) take(result);
      PQclear(result);
    }
  }
  void take(const PGresult* result) {
    require(PQntuples(result) == 1, "no row");
    Row row;
    std::uint64_t big = 0;
    __builtin_memcpy(&big, PQgetvalue(result, 0, 0), 8);
    row.id = static_cast<std::int64_t>(__builtin_bswap64(big));
    row.title.assign(PQgetvalue(result, 0, 1), static_cast<std::size_t>(PQgetlength(result, 0, 1)));
    row.body.assign(PQgetvalue(result, 0, 2), static_cast<std::size_t>(PQgetlength(result, 0, 2)));
    require(row.id == id_, "read another row");
  }
  void next() {
    if (pool_.writes && ++step_ < 3) return send();
    // Its caller asks again, behind those that wait.
    if (pool_.left-- > 0)
      pool_.callers.push_back(caller_);
    else if (--pool_.running == 0)
      pool_.loop->stop();
    if (pool_.callers.empty()) return pool_.free.push_back(this);
    const int caller = pool_.callers.front();
    pool_.callers.pop_front();
    start(caller);
  }

  Pool& pool_;
  PGconn* connection_;
  std::int64_t id_ = 0;
  int caller_ = 0;
  int step_ = 0;
};

void run_awaited(Awaited::Pool& pool, int count) {
  pool.left = count - kCallers;
  pool.running = kCallers;
  for (int i = 0; i < kCallers; ++i) {
    if (pool.free.empty()) {
      pool.callers.push_back(i);
      continue;
    }
    Awaited* connection = pool.free.back();
    pool.free.pop_back();
    connection->start(i);
  }
  pool.loop->run();
}

// ---- rounds

double timed(int count, const std::function<void()>& run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / count;
}

void print(const char* name, const std::vector<double>& values) {
  std::printf("\"%s\": [", name);
  for (std::size_t i = 0; i < values.size(); ++i) std::printf("%s%.0f", i ? ", " : "", values[i]);
  std::printf("]");
}

void measure(const char* name, const char* yardstick, const std::function<double()>& ours,
             const std::function<double()>& theirs) {
  std::vector<double> mine;
  std::vector<double> others;
  ours();
  theirs();
  for (int i = 0; i < kRounds; ++i) {
    mine.push_back(ours());
    others.push_back(theirs());
  }
  std::printf("{\"measure\": \"%s\", \"yardstick\": \"%s\", \"unit\": \"ns\", ", name, yardstick);
  print("ours", mine);
  std::printf(", ");
  print("theirs", others);
  std::printf("}\n");
}

void create(const std::string& url) {
  PGconn* connection = PQconnectdb(url.c_str());
  require(PQstatus(connection) == CONNECTION_OK, "cannot connect");
  PGresult* made =
      PQexec(connection,
             "DROP TABLE IF EXISTS rows; CREATE TABLE rows (id bigint PRIMARY KEY, title text NOT "
             "NULL, body text NOT NULL, created_at timestamptz NOT NULL); INSERT INTO rows SELECT n, "
             "'title ' || n, repeat('x', 200), now() FROM generate_series(1, 100000) n; ANALYZE rows");
  require(PQresultStatus(made) == PGRES_COMMAND_OK, "cannot fill the table");
  PQclear(made);
  PQfinish(connection);
}

std::vector<std::unique_ptr<Awaited>> fill(Awaited::Pool& pool, Loop& loop, const std::string& url,
                                           std::size_t connections) {
  std::vector<std::unique_ptr<Awaited>> all;
  pool.loop = &loop;
  for (std::size_t i = 0; i < connections; ++i) {
    all.push_back(std::make_unique<Awaited>(pool, loop, Awaited::connect(url)));
    pool.free.push_back(all.back().get());
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  require(argc > 1, "usage: sql_postgres_bench URL [point_read | transaction]");
  const std::string url = argv[1];
  const std::string only = argc > 2 ? argv[2] : "";
  create(url);
  Loop loop;
  sql::PostgresqlOptions options;
  options.url = url;
  options.read_connections = kReadConnections;
  options.transaction_connections = kWriteConnections;
  auto db = sql::open_postgresql(options);
  require(db.has_value(), "cannot open the database");
  Ours ours{**db, loop, {}};
  Awaited::Pool reads;
  Awaited::Pool writes;
  writes.writes = true;
  auto read_connections = fill(reads, loop, url, kReadConnections);
  auto write_connections = fill(writes, loop, url, kWriteConnections);
  if (only != "transaction")
    measure(
        "point_read", "libpq awaited on as many connections",
        [&] { return timed(kReads, [&] { ours.run(kReads, false); }); },
        [&] { return timed(kReads, [&] { run_awaited(reads, kReads); }); });
  if (only != "point_read")
    measure(
        "transaction", "libpq awaited on as many connections",
        [&] { return timed(kWrites, [&] { ours.run(kWrites, true); }); },
        [&] { return timed(kWrites, [&] { run_awaited(writes, kWrites); }); });
  (*db)->close();
}
