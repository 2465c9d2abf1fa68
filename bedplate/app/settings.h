// The settings that every application has, beside those of the rooms below it (server, rest, rate_limit, ...).
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

/// Section `database`.
struct DatabaseSettings {
  std::string url;
  bool migrate = true;
  std::int64_t group_commit_max = 256;
  std::int64_t queue_max = 8192;
  std::int64_t reader_threads = 2;
  std::int64_t read_timeout_ms = 10'000;
  std::int64_t command_timeout_ms = 5'000;
  std::int64_t busy_timeout_ms = 5'000;
  std::int64_t slow_query_ms = 200;
  std::int64_t cache_kib = 16 * 1024;

  static consteval auto describe() {
    using namespace bedplate::schema;
    using S = DatabaseSettings;
    return object<S>(
        "The business database",
        {
            field<&S::url>(length{0, 4000}, secret, optional_with_default,
                           "sqlite:PATH. Empty: the file bedplate.db in data.directory"),
            field<&S::migrate>(
                optional_with_default,
                "Bring the schema up to date before serving; off in fleets, where `migrate up` does it"),
            field<&S::group_commit_max>(range{1, 4096}, optional_with_default,
                                        "Commands that share one commit to disk; 1: each alone"),
            field<&S::queue_max>(range{16, 1'000'000}, optional_with_default,
                                 "Commands that wait for the writer; more are answered 503"),
            field<&S::reader_threads>(range{1, 64}, optional_with_default,
                                      "Threads for reads that take long"),
            field<&S::read_timeout_ms>(range{10, 600'000}, optional_with_default,
                                       "A read that takes longer is ended"),
            field<&S::command_timeout_ms>(range{10, 600'000}, optional_with_default,
                                          "A command that takes longer is rolled back"),
            field<&S::busy_timeout_ms>(range{0, 600'000}, optional_with_default,
                                       "How long to wait for another process's lock on the database"),
            field<&S::slow_query_ms>(range{0, 600'000}, optional_with_default,
                                     "Statements that take longer are logged, without their values; 0: none"),
            field<&S::cache_kib>(range{256, 16'777'216}, optional_with_default,
                                 "Page cache of each connection"),
        });
  }
};

/// Section `log`.
struct LogSettings {
  LogLevel level = LogLevel::info;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<LogSettings>(
        "Logs: JSON lines on standard error",
        {field<&LogSettings::level>(optional_with_default, "Lines below this level are left out")});
  }
};

/// Section `telemetry`.
struct TelemetrySettings {
  std::string metrics_token;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<TelemetrySettings>(
        "Who may see /metrics and the details of /healthz",
        {field<&TelemetrySettings::metrics_token>(
            length{0, 500}, secret, optional_with_default,
            "Bearer token for them. Empty: only callers on this machine's loopback see them")});
  }
};

}  // namespace bedplate::app
