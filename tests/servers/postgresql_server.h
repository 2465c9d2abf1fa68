// SPDX-License-Identifier: Apache-2.0
// PostgreSQL for tests: a real server on loopback with throwaway data, and databases on it.
//
//   PostgresDatabase database = shared_postgres().create_database();     // for most tests: 60 ms
//   open_database(database.url());
//
//   PostgresServer server({.durable = true});                           // to be stopped and killed: 300 ms
//   PostgresDatabase database = server.create_database();
//   server.kill();                                                      // everything at once, as a power cut
//   server.start();                                                     // the same port, the same data
//
//   std::unique_ptr<PostgresServer> replica = server.replica();         // streams from it
//
// URLs log in as the role `bedplate`, which owns its databases and nothing else: it is no superuser, so row-level
// security holds for it (for tables with FORCE ROW LEVEL SECURITY). rows() looks in past the program under test, as
// the superuser.
//
// Files are cloned from a template that is made once per build folder. Not thread-safe, but for the const functions.
// Whatever fails aborts with the server's log.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/servers/daemon.h"
#include "tests/servers/tls_files.h"

namespace bedplate::testing {

/// A database that goes with the object.
class PostgresDatabase {
 public:
  PostgresDatabase(PostgresDatabase&&) noexcept;
  PostgresDatabase& operator=(PostgresDatabase&&) = delete;
  /// Drops it, whoever is still connected. Leaves it when the server does not answer.
  ~PostgresDatabase();

  const std::string& name() const { return name_; }
  /// postgresql://bedplate:...@127.0.0.1:port/name
  const std::string& url() const { return url_; }
  /// The same as superuser.
  const std::string& admin_url() const { return admin_url_; }

  /// Runs one or more statements as the superuser; the first column of the last one's rows as text, NULL as "".
  /// Aborts on SQL that does not run.
  std::vector<std::string> rows(const std::string& sql) const;
  std::int64_t count(const std::string& sql) const;

 private:
  friend class PostgresAddress;
  PostgresDatabase() = default;

  std::string name_;
  std::string url_;
  std::string admin_url_;
  std::string maintenance_url_;
};

/// Where a server is, and how to get in.
class PostgresAddress {
 public:
  PostgresAddress() = default;
  PostgresAddress(std::uint16_t port, std::string password) : port_(port), password_(std::move(password)) {}

  std::string url(std::string_view database) const { return url_of("bedplate", database); }
  std::string admin_url(std::string_view database = "postgres") const { return url_of("postgres", database); }
  std::uint16_t port() const { return port_; }
  const std::string& password() const { return password_; }
  /// Appended to each URL, for example "?sslmode=verify-full&sslrootcert=...".
  void set_parameters(std::string parameters) { parameters_ = std::move(parameters); }

  /// A fresh one, empty, owned by the role of url().
  PostgresDatabase create_database() const;

 private:
  std::string url_of(std::string_view role, std::string_view database) const;

  std::uint16_t port_ = 0;
  std::string password_;
  std::string parameters_;
};

/// Runs one or more statements over a connection of its own; see PostgresDatabase::rows().
std::vector<std::string> run_sql(const std::string& url, const std::string& sql);

/// A connection that stays: to hold a lock or a transaction open against the program under test.
class PostgresSession {
 public:
  /// Aborts when it cannot connect.
  explicit PostgresSession(const std::string& url);
  PostgresSession(const PostgresSession&) = delete;
  PostgresSession& operator=(const PostgresSession&) = delete;
  ~PostgresSession();

  /// As run_sql().
  std::vector<std::string> rows(const std::string& sql) const;

 private:
  class Connection;
  std::unique_ptr<Connection> connection_;
};

class PostgresServer {
 public:
  struct Options {
    /// fsync and full_page_writes on. Off, only a crash of the machine could lose anything, never a kill().
    bool durable = false;
    /// Accepts TLS connections only; url() then verifies the certificate (sslmode=verify-full).
    bool tls = false;
    int max_connections = 100;
    /// Further lines of postgresql.conf: {"log_statement = 'all'"}.
    std::vector<std::string> settings = {};
    /// Starts on a copy of this data directory (of the same major version; a backup that was restored, say) in place
    /// of an empty one. Roles and passwords must be those of this kit.
    std::string data_from = {};
  };

  /// Started and ready.
  PostgresServer();
  explicit PostgresServer(Options options);
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;
  /// Stops it and removes its files.
  ~PostgresServer();

  const PostgresAddress& address() const { return address_; }
  std::string url(std::string_view database) const { return address_.url(database); }
  std::string admin_url(std::string_view database = "postgres") const { return address_.admin_url(database); }
  PostgresDatabase create_database() const { return address_.create_database(); }

  /// After stop() or kill(), on the same port; returns when it accepts connections (start) or at once (launch).
  void start();
  void launch();
  void wait_until_ready();
  /// "Fast" shutdown: aborts transactions, disconnects clients, writes everything.
  void stop();
  /// SIGKILL to all its processes at once.
  void kill();
  void restart() {
    stop();
    start();
  }
  /// SIGSTOP and SIGCONT to all its processes: a server that hangs, with its connections open.
  void pause();
  void resume();

  /// A hot standby that streams from this one, started, caught up with what was committed before the call.
  std::unique_ptr<PostgresServer> replica(std::vector<std::string> settings = {});
  /// For a replica: waits until it has replayed everything that `primary` has committed by now.
  void catch_up_with(const PostgresServer& primary) const;

  /// Where its files are: data in directory() + "/data", its log in directory() + "/log".
  const std::string& directory() const { return directory_.path(); }
  std::string data() const { return directory_ / "data"; }
  std::string log() const { return read_file(directory_ / "log"); }
  const std::optional<TlsFiles>& tls() const { return tls_; }

 private:
  struct ReplicaOf {
    const PostgresServer& primary;
  };
  PostgresServer(ReplicaOf of, Options options);
  void configure();
  void find_port_and_start();
  /// False: it has ended in place of starting.
  bool becomes_ready();

  Options options_;
  ServerDirectory directory_;
  std::optional<TlsFiles> tls_;
  std::optional<ServerPort> port_;
  PostgresAddress address_;
  Daemon daemon_;
};

/// The server that the tests of one ctest run share; a test program that is run by hand starts one for itself on the
/// first call. Its data is not durable; nobody stops it.
const PostgresAddress& shared_postgres();

/// The directory of PostgreSQL's programs, and one of them: postgres_program("pg_basebackup").
std::string postgres_program(std::string_view name);

}  // namespace bedplate::testing
