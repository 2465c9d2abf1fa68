// SPDX-License-Identifier: Apache-2.0
// The settings that every application has, beside those of the libraries below it (server, rest, rate_limit, ...).
#pragma once

#include <cstdint>
#include <string>

#include "bedplate/base/log.h"
#include "bedplate/describe/describe.h"

namespace bedplate {

consteval auto describe(LogLevel) {
  using L = LogLevel;
  return schema::values<L::debug, L::info, L::warn, L::error>("How much is logged");
}

}  // namespace bedplate

namespace bedplate::app {

/// Section `data`.
struct DataSettings {
  std::string directory;  ///< Application sets the default: PROGRAM-data

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<DataSettings>(
        "Where the application keeps its files",
        {field<&DataSettings::directory>(
            length{1, 4000}, optional_with_default,
            "Directory of the embedded database and of generated keys; made (0700) when missing. "
            "With the embedded database, one process serves it at a time")});
  }
};

enum class DatabasePooler { none, transaction };
consteval auto describe(DatabasePooler) {
  using P = DatabasePooler;
  return schema::values<P::none, P::transaction>("What hands out connections to the database server");
}

enum class DatabaseIsolation { serializable, repeatable_read, read_committed };
consteval auto describe(DatabaseIsolation) {
  using I = DatabaseIsolation;
  return schema::values<I::serializable, I::repeatable_read, I::read_committed>(
      "What transactions see of each other");
}

/// Section `database`: what holds for either engine.
struct DatabaseSettings {
  std::string url;
  bool migrate = true;
  std::int64_t queue_max = 8192;
  std::int64_t read_timeout_ms = 10'000;
  std::int64_t command_timeout_ms = 5'000;
  std::int64_t busy_timeout_ms = 5'000;
  std::int64_t slow_query_ms = 200;

  static consteval auto describe() {
    using namespace bedplate::schema;
    using S = DatabaseSettings;
    return object<S>(
        "The business database. [database.sqlite] and [database.postgresql] have what holds for one engine",
        {
            field<&S::url>(length{0, 4000}, secret, optional_with_default,
                           "sqlite:PATH, or postgresql://USER:PASSWORD@HOST/NAME?sslmode=verify-full and "
                           "whatever else libpq takes. Empty: the file bedplate.db in data.directory"),
            field<&S::migrate>(
                optional_with_default,
                "Apply pending migrations before serving; false in fleets, where `migrate up` does it"),
            field<&S::queue_max>(
                range{16, 1'000'000}, optional_with_default,
                "Most commands that wait for the writer or for a connection; further ones are answered 503"),
            field<&S::read_timeout_ms>(range{10, 600'000}, optional_with_default, "Time limit of a read"),
            field<&S::command_timeout_ms>(range{10, 600'000}, optional_with_default,
                                          "Time limit of a command; then it is rolled back"),
            field<&S::busy_timeout_ms>(
                range{0, 600'000}, optional_with_default,
                "How long to wait for a lock that another process or transaction holds"),
            field<&S::slow_query_ms>(
                range{0, 600'000}, optional_with_default,
                "Log statements that take longer than this, without their values; 0: none"),
        });
  }
};

/// Section `database.sqlite`.
struct SqliteSettings {
  std::int64_t group_commit_max = 256;
  bool wal_coalescing = true;
  std::int64_t reader_threads = 2;
  std::int64_t cache_kib = 16 * 1024;

  static consteval auto describe() {
    using namespace bedplate::schema;
    using S = SqliteSettings;
    return object<S>(
        "SQLite",
        {
            field<&S::group_commit_max>(range{1, 4096}, optional_with_default,
                                        "Most commands that share one commit to disk; 1: each has its own"),
            field<&S::wal_coalescing>(
                optional_with_default,
                "Write what a commit appends to the write-ahead log at once, not in a piece a page"),
            field<&S::reader_threads>(range{1, 64}, optional_with_default, "Threads for long reads"),
            field<&S::cache_kib>(range{256, 16'777'216}, optional_with_default,
                                 "Page cache of each connection; the writer's is four times as large"),
        });
  }
};

/// Section `database.postgresql`.
struct PostgresqlSettings {
  std::string replica_urls;
  DatabasePooler pooler = DatabasePooler::none;
  DatabaseIsolation isolation = DatabaseIsolation::serializable;
  std::int64_t read_connections = 2;
  std::int64_t transaction_connections = 8;
  std::int64_t connect_timeout_ms = 5'000;
  std::int64_t replica_wait_ms = 50;
  std::int64_t result_size_max_kib = 128 * 1024;

  static consteval auto describe() {
    using namespace bedplate::schema;
    using S = PostgresqlSettings;
    return object<S>(
        "PostgreSQL",
        {
            field<&S::replica_urls>(
                length{0, 16'000}, secret, optional_with_default,
                "URLs of read replicas, separated by spaces. Queries go to them; one that "
                "must see a command's writes sends back the Bedplate-Commit header that the "
                "command answered"),
            field<&S::pooler>(optional_with_default,
                              "`transaction` if connections go through a pooler in transaction mode "
                              "(pgbouncer): no prepared statements, no LISTEN"),
            field<&S::isolation>(
                optional_with_default,
                "Isolation level of commands that ask for no other. `serializable` matches SQLite; "
                "serialization failures are retried"),
            field<&S::read_connections>(range{1, 64}, optional_with_default,
                                        "Connections of each loop that its reads share"),
            field<&S::transaction_connections>(
                range{1, 1000}, optional_with_default,
                "Connections of each loop for commands, and for reads of several statements"),
            field<&S::connect_timeout_ms>(range{100, 60'000}, optional_with_default,
                                          "Time limit for connecting"),
            field<&S::replica_wait_ms>(
                range{0, 10'000}, optional_with_default,
                "How long to wait for a replica that lags, before the primary is asked"),
            field<&S::result_size_max_kib>(range{1024, 16'777'216}, optional_with_default,
                                           "Largest result of one statement, as received: it is in memory "
                                           "before its rows can be counted. "
                                           "A larger one is refused and ends the connection"),
        });
  }
};

/// Section `cache`.
struct CacheSettings {
  std::string url;
  std::string prefix = "bedplate:";
  std::string tls_authorities_file;
  std::int64_t timeout_ms = 250;
  std::int64_t connect_timeout_ms = 1'000;
  std::int64_t local_size_kib = 64 * 1024;
  std::int64_t local_lifetime_ms = 60'000;

  static consteval auto describe() {
    using namespace bedplate::schema;
    using S = CacheSettings;
    return object<S>(
        "The cache, and what replicas share through it (rate limits, locks, news of what changed)",
        {
            field<&S::url>(
                length{0, 4000}, secret, optional_with_default,
                "redis://[user:password@]host[:port][/database], rediss://... with TLS, or "
                "redis+unix:/path; one server or a Cluster. Empty or memory: a cache in this process"),
            field<&S::prefix>(
                length{1, 100}, optional_with_default,
                "Prefix of every key and channel; applications that share a Redis each need their own"),
            field<&S::tls_authorities_file>(
                length{0, 4000}, optional_with_default,
                "PEM file of the authorities that rediss:// trusts. Empty: those of the system"),
            field<&S::timeout_ms>(range{1, 60'000}, optional_with_default,
                                  "How long a request waits for the cache before it goes on without it"),
            field<&S::connect_timeout_ms>(range{10, 60'000}, optional_with_default,
                                          "Time limit for connecting"),
            field<&S::local_size_kib>(range{64, 1'073'741'824}, optional_with_default,
                                      "Memory for entries in this process, keys and tables included"),
            field<&S::local_lifetime_ms>(range{1, 86'400'000}, optional_with_default,
                                         "Longest time that this process keeps a copy of an entry in Redis"),
        });
  }
};

enum class LogFormatChoice { auto_, json, text };
consteval auto describe(LogFormatChoice) {
  using F = LogFormatChoice;
  return schema::values<F::auto_, F::json, F::text>("How a line of the log is written");
}

/// Section `log`.
struct LogSettings {
  LogLevel level = LogLevel::info;
  LogFormatChoice format = LogFormatChoice::auto_;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<LogSettings>(
        "Logs, on standard error",
        {
            field<&LogSettings::level>(
                optional_with_default,
                "Leave out lines below this level. Where it is not set, commands other "
                "than `serve` log warnings and errors only"),
            field<&LogSettings::format>(
                optional_with_default, "auto: text where standard error is a terminal, JSON lines otherwise"),
        });
  }
};

/// Section `schedule`.
struct ScheduleSettings {
  std::string zoneinfo = "/usr/share/zoneinfo";

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<ScheduleSettings>(
        "When things happen",
        {field<&ScheduleSettings::zoneinfo>(length{0, 4000}, optional_with_default,
                                            "Directory of compiled time zones, which the operating system "
                                            "keeps up to date. Empty, or one without "
                                            "them: those that the program was built with")});
  }
};

/// Section `telemetry`.
struct TelemetrySettings {
  std::string listen;
  std::string metrics_token;

  static consteval auto describe() {
    using namespace bedplate::schema;
    using S = TelemetrySettings;
    return object<S>(
        "Where /metrics and /healthz are",
        {field<&S::listen>(length{0, 4000}, optional_with_default,
                           "Address of /metrics and /healthz, for operators only: 127.0.0.1:9464, or "
                           "unix:/path. Empty: the "
                           "Unix socket operations.sock (0600) in data.directory"),
         field<&S::metrics_token>(
             length{0, 500}, secret, optional_with_default,
             "Bearer token for which server.listen answers them too. Empty: 404 there, for everybody")});
  }
};

}  // namespace bedplate::app
