// SPDX-License-Identifier: Apache-2.0
// The command line of an application: its commands and options, read into plain values.
//
//   bedplate serve --listen 127.0.0.1:0 --set server.threads=2
//   bedplate migrate up --dry-run
//   bedplate admin grant ada@example.com
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bedplate::app {

/// A positional argument: {"EMAIL", "Address of the account"}.
struct ArgumentSpec {
  std::string name;
  std::string doc;
};

/// An option without a value, {"--json", "Print JSON"}, or with one: {"--limit", "How many, at most", "N"}.
struct CommandFlag {
  std::string name;
  std::string doc;
  std::string value_name = {};
};

/// What an option of a command was given, from the arguments of its body: "10" of `--limit 10`. Nothing: it was not.
std::optional<std::string_view> value_of(std::span<const std::string> arguments, std::string_view option);

/// A command that the application adds to the built-in ones. `name` may be two words: "admin grant".
struct CommandSpec {
  std::string name;
  std::string doc;
  std::vector<ArgumentSpec> arguments;  ///< all required
  /// It may be the first that is done: it makes what is missing, the data directory, the database and the schema.
  /// Others are refused where there is no database, for then the place is a slip.
  bool makes_database = false;
  /// What the first of two words is for, in the list of commands; said once by the first command of the group.
  std::string group_doc = {};
  std::vector<CommandFlag> flags = {};
};

/// The code of an error that means a wrong call, which cannot work wherever it is made: exit status 2 in place of 1.
inline constexpr std::string_view kWrongCall = "wrong_call";

/// What every command takes.
struct CommonOptions {
  std::string config_file;                                    ///< --config FILE
  std::vector<std::pair<std::string, std::string>> settings;  ///< --set KEY=VALUE
  std::string data_directory;       ///< --data DIR, short for --set data.directory=DIR; empty: not given
  std::vector<std::string> listen;  ///< --listen HOST:PORT and --port PORT, short for --set server.listen=...
};

/// One parsed call.
struct Invocation {
  std::string command;  ///< "serve", "migrate up", "admin grant"
  CommonOptions options;
  /// Positional, in the order of the spec; then the names of the flags that were given, sorted, with their values
  /// behind a `=`: value_of().
  std::vector<std::string> arguments;
  bool dry_run = false;    ///< migrate up|down --dry-run
  std::int64_t steps = 1;  ///< migrate down --steps N
  std::string module;      ///< migrate down MODULE, sql MODULE, migrate new --module MODULE; empty: not given
  std::string directory;   ///< migrate new --dir DIR; empty: not given
  std::string to;          ///< migrate data --to URL
  std::string skip_bad_rows;  ///< migrate data --skip-bad-rows FILE; empty: not given
};

struct ParsedCommandLine {
  std::optional<Invocation> invocation;
  /// Without an invocation: what to print (help, version or what was wrong), and the exit status.
  std::string message;
  int exit_status = 0;
};

struct ProgramInfo {
  std::string name;
  std::string version;
  std::string doc;      ///< one sentence
  std::string license;  ///< of its API, for the OpenAPI document: an SPDX identifier; empty: it names none
};

/// Never exits, never prints.
ParsedCommandLine parse_command_line(const ProgramInfo& program, const std::vector<CommandSpec>& extra,
                                     int argc, const char* const* argv);

}  // namespace bedplate::app
