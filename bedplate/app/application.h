// SPDX-License-Identifier: Apache-2.0
// Application: what the main() of a service hands its parts to.
//
//   int main(int argc, char** argv) {
//     bedplate::app::Application app({"notes", "0.1.0", "Keeps notes."});
//     app.add(notes::notes_module());
//     return app.run(argc, argv);
//   }
//
// That is a whole program: `notes serve`, `notes migrate up`, `notes config`, `notes openapi`, `notes backup FILE`...
// run() reads the command line and the configuration, and does what is asked. A service comes as a Module (module.h);
// what is not one is made in wire(), once the settings are known. Nothing here is a singleton: a test makes as many
// Applications as it likes (bedplate/testing).
#pragma once

#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "bedplate/app/command_line.h"
#include "bedplate/app/host.h"
#include "bedplate/app/module.h"
#include "bedplate/app/settings.h"
#include "bedplate/base/embedded.h"
#include "bedplate/base/result.h"
#include "bedplate/base/time.h"
#include "bedplate/config/config.h"
#include "bedplate/sql/derived_tables.h"
#include "bedplate/sql/migrate.h"
#include "bedplate/sql/module_tables.h"

namespace bedplate::app {

class Application {
 public:
  /// Sees to the process first (process.h): make it before anything opens a file or a socket.
  explicit Application(ProgramInfo program);
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;
  ~Application();

  // ---- What it is made of. Said before run().

  /// A section of the configuration, read into `settings` before wire() runs. `settings` outlives the Application.
  template <class Settings>
  void settings(std::string_view section, Settings& settings) {
    config_.add(section, settings);
  }
  /// A module's migrations. Modules migrate in the order in which they are named.
  void migrations(std::string_view module, std::span<const EmbeddedFile> files);
  /// The described tables of a module and its named statements: for `sql`, `migrate check` and `migrate new`.
  void tables(sql::ModuleTables tables) { module_tables_.push_back(std::move(tables)); }
  /// Tables that follow from others, such as a search index: their migration, and how they are made anew after a copy.
  /// They migrate after the modules named so far.
  void derived(sql::DerivedTables tables);
  /// Makes the services and says what is served: body(Host&), which returns nothing, or Result<void> where making
  /// them can fail. Runs once for each Host, on the main thread.
  template <class Body>
  void wire(Body body) {
    using Answer = std::invoke_result_t<Body&, Host&>;
    static_assert(std::is_void_v<Answer> || std::is_same_v<Answer, Result<void>>,
                  "wire() wants a function of Host& that returns nothing or Result<void>");
    if constexpr (std::is_void_v<Answer>)
      wire_ = [body = std::move(body)](Host& host) mutable { return body(host), Result<void>(); };
    else
      wire_ = std::move(body);
  }
  /// A service with everything that belongs to it: module.h.
  void add(Module module);
  void command(CommandSpec spec, CommandBody body);
  /// Runs after `restore`, on the database that was put in place: what must not come back to life with it.
  void after_restore(std::function<Result<void>(Host&)> body) { restore_hooks_.push_back(std::move(body)); }
  /// Another clock than the system's, for tests. It outlives the Application.
  void use_clock(const Clock& clock) { clock_ = &clock; }

  // ---- Running.

  /// Does what the command line says; returns the exit status: 0, 1 for a failure, 2 for a wrong call or configuration.
  /// A command whose output could not be written has failed.
  int run(int argc, const char* const* argv);

  /// Reads the configuration from its four places. All that is wrong with it is in the error, a line each; what only
  /// looks wrong is in config().warnings(). Opens and makes nothing but the files that it names.
  Result<void> configure(const CommonOptions& options);

  // ---- For Host and the commands.
  const ProgramInfo& program() const { return program_; }
  const Clock& clock() const { return *clock_; }
  const HostSettings& host_settings() const { return host_settings_; }
  std::span<const sql::MigrationSource> migration_sources() const { return migrations_; }
  const std::vector<sql::ModuleTables>& module_tables() const { return module_tables_; }
  std::span<const sql::DerivedTables> derived_tables() const { return derived_; }
  const config::Registry& config() const { return config_; }
  Result<void> wire_into(Host& host) const;
  const std::vector<std::function<Result<void>(Host&)>>& restore_hooks() const { return restore_hooks_; }
  const std::deque<Module>& modules() const { return modules_; }
  /// Where the sealing key is; empty: in the data directory.
  const std::string& key_file() const { return key_file_ ? *key_file_ : kNoKeyFile; }
  /// From here on Hosts open this database.
  void use_database(const std::string& url) { host_settings_.database.url = url; }

 private:
  struct AddedCommand {
    CommandSpec spec;
    CommandBody body;
  };
  int run_command(int argc, const char* const* argv);
  /// Level and format of the process's log, as the settings say.
  void warn_about_empty_url() const;
  void set_up_log(const Invocation& invocation) const;
  Result<void> dispatch(const Invocation& invocation);
  /// What the rules of a single setting cannot say: that addresses and URLs can be read.
  Result<void> check_places() const;

  ProgramInfo program_;
  SystemClock system_clock_;
  const Clock* clock_ = &system_clock_;
  HostSettings host_settings_;
  config::Registry config_;
  std::vector<sql::MigrationSource> migrations_;
  std::vector<sql::DerivedTables> derived_;
  std::vector<sql::ModuleTables> module_tables_;
  std::vector<AddedCommand> commands_;
  std::function<Result<void>(Host&)> wire_;
  std::vector<std::function<Result<void>(Host&)>> restore_hooks_;
  std::deque<Module> modules_;  // migrations have views of their names
  const std::string* key_file_ = nullptr;
  inline static const std::string kNoKeyFile;
};

}  // namespace bedplate::app
