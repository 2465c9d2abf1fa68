// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/application.h"

#include "bedplate/app/audit_module.h"
#include "bedplate/app/jobs_module.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "bedplate/app/builtin_commands.h"
#include "bedplate/app/caching.h"
#include "bedplate/app/cron_module.h"
#include "bedplate/app/database_place.h"
#include "bedplate/app/events_module.h"
#include "bedplate/app/process.h"
#include "bedplate/async/address.h"
#include "bedplate/base/log.h"
#include "bedplate/describe/json/json.h"
#include "bedplate/execution/idempotency.h"
#include "bedplate/http/address.h"
#include "bedplate/sql/drivers/open.h"
#include "bedplate/sql/error.h"

namespace bedplate::app {
namespace {

// A client is told to come back; whoever gave a command wants to know why.
std::string told_to_operator(const Error& error) {
  if (error.code() != sql::kStorageError || error.subject().empty()) return error.detail();
  return "The storage does not work: " + error.subject() + ".";
}

Result<SocketAddress> address_of_operations(const std::vector<std::string>& listen,
                                            const std::string& operations) {
  auto address = SocketAddress::parse(operations);
  for (const std::string& other : listen) {
    auto known = SocketAddress::parse(other);
    if (!address || !known || known->to_string() != address->to_string()) continue;
    if (address->family() == SocketAddress::Family::local || address->port() != 0)
      return fail(Category::invalid, "bad_address",
                  operations + " is an address of server.listen, which everybody reaches.");
  }
  return address;
}

}  // namespace

Application::Application(ProgramInfo program) : program_(std::move(program)) {
  prepare_process();
  host_settings_.data.directory = program_.name + "-data";
  settings("data", host_settings_.data);
  settings("database", host_settings_.database);
  settings("database.sqlite", host_settings_.sqlite);
  settings("database.postgresql", host_settings_.postgresql);
  settings("cache", host_settings_.cache);
  settings("server", host_settings_.server);
  settings("log", host_settings_.log);
  settings("telemetry", host_settings_.telemetry);
  settings("schedule", host_settings_.schedule);
  settings("rest", host_settings_.rest);
  settings("rate_limit", host_settings_.rate_limit);
  settings("cors", host_settings_.cors);
  settings("idempotency", host_settings_.idempotency);
  migrations("idempotency", api::idempotency_migrations());
  add(audit_module(host_settings_.audit));
  add(events_module(host_settings_.events));
  add(jobs_module(host_settings_.jobs));
  add(cron_module());
}

Application::~Application() = default;

void Application::migrations(std::string_view module, std::span<const EmbeddedFile> files) {
  migrations_.push_back({module, files});
}

void Application::derived(sql::DerivedTables tables) {
  derived_.push_back(std::move(tables));
  migrations_.push_back(derived_.back().migrations());
}

void Application::command(CommandSpec spec, CommandBody body) {
  commands_.push_back({std::move(spec), std::move(body)});
}

void Application::add(Module module) {
  std::vector<sql::DerivedTables> derived_of_module = module.take_derived();
  const Module& added = modules_.emplace_back(std::move(module));
  if (!added.migration_files().empty()) migrations(added.name(), added.migration_files());
  if (!added.described_tables().tables.empty()) tables(added.described_tables());
  for (sql::DerivedTables& one : derived_of_module) derived(std::move(one));
  for (const auto& section : added.settings_sections()) section(config_);
  for (const Module::Command& one : added.commands()) command(one.spec, one.body);
  for (const auto& hook : added.restore_hooks()) after_restore(hook);
  if (added.key_file_setting()) key_file_ = added.key_file_setting();
}

Result<void> Application::wire_into(Host& host) const {
  for (const Module& module : modules_)
    if (Result<void> wired = module.wire_into(host); !wired) return wired;
  if (!wire_) return {};
  return wire_(host);
}

Result<void> Application::configure(const CommonOptions& options) {
  config::Sources sources;
  sources.environment = config::process_environment();
  sources.variables_ignored = {"BEDPLATE_CONFIG"};
  std::string file = options.config_file;
  if (const char* named = std::getenv("BEDPLATE_CONFIG"); file.empty() && named) {
    if (*named == '\0')
      return fail(Category::invalid, "config_invalid",
                  "BEDPLATE_CONFIG is empty: name a settings file, or unset the variable.");
    file = named;
  }
  if (!file.empty()) {
    auto read = config::read_file(file);
    if (!read) return std::unexpected(std::move(read.error()));
    sources.file = std::move(*read);
  }
  for (const auto& [key, value] : options.settings) sources.flags.push_back({"--set " + key, key, value});
  if (!options.data_directory.empty())
    sources.flags.push_back({"--data", "data.directory", options.data_directory});
  if (!options.listen.empty())
    sources.flags.push_back({"--listen", "server.listen", to_json(options.listen)});
  if (auto loaded = config_.load(sources); !loaded) return loaded;
  return check_places();
}

// Before anything is made in a place that somebody did not mean.
Result<void> Application::check_places() const {
  std::string problems;
  const auto check = [&](std::string_view key, const auto& result, std::string_view about = "") {
    if (result) return;
    if (!problems.empty()) problems += '\n';
    problems += config_.find(key)->place + ": " + std::string(about) + result.error().detail();
  };
  const http::ServerSettings& server = host_settings_.server;
  for (const std::string& address : server.listen)
    check("server.listen", SocketAddress::parse(address), "server.listen: ");
  if (const std::string& operations = host_settings_.telemetry.listen; !operations.empty())
    check("telemetry.listen", address_of_operations(server.listen, operations), "telemetry.listen: ");
  check("server.trusted_proxies",
        http::TrustedProxies::parse(server.trusted_proxies, server.forwarded_field));
  const DatabaseSettings& database = host_settings_.database;
  if (!database.url.empty()) check("database.url", sql::check_database_url(database.url, "database.url"));
  for (const std::string& url : words_of(host_settings_.postgresql.replica_urls))
    check("database.postgresql.replica_urls",
          sql::check_postgresql_url(url, "database.postgresql.replica_urls (URLs with spaces between them)"));
  check("cache.url", Caching::check_url(host_settings_.cache.url));
  if (problems.empty()) return {};
  return fail(Category::invalid, "config_invalid", std::move(problems));
}

int Application::run(int argc, const char* const* argv) {
  const int status = run_command(argc, argv);
  Result<void> written = finish_output();
  if (written) return status;
  std::fprintf(stderr, "%s: %s\n", program_.name.c_str(), written.error().detail().c_str());
  return status == 0 ? 1 : status;
}

int Application::run_command(int argc, const char* const* argv) {
  std::vector<CommandSpec> specs;
  for (const AddedCommand& command : commands_) specs.push_back(command.spec);
  ParsedCommandLine parsed = parse_command_line(program_, specs, argc, argv);
  if (!parsed.invocation) {
    std::fputs(parsed.message.c_str(), parsed.exit_status == 0 ? stdout : stderr);
    return parsed.exit_status;
  }
  if (auto configured = configure(parsed.invocation->options); !configured) {
    std::fprintf(stderr, "%s: %s\n", program_.name.c_str(), configured.error().detail().c_str());
    return 2;
  }
  set_up_log(*parsed.invocation);
  for (const std::string& warning : config_.warnings()) log_warn(warning, {});
  warn_about_empty_url();
  Result<void> done = dispatch(*parsed.invocation);
  if (done) return 0;
  std::fprintf(stderr, "%s: %s\n", program_.name.c_str(), told_to_operator(done.error()).c_str());
  return done.error().code() == kWrongCall ? 2 : 1;
}

// An unset shell variable leaves an empty value, and the data would go where nobody looks for it.
void Application::warn_about_empty_url() const {
  const config::Setting& url = *config_.find("database.url");
  if (url.origin == config::Origin::default_value || !host_settings_.database.url.empty()) return;
  log_warn(url.place + " is empty, so the database is a SQLite file in the data directory",
           {{"directory", host_settings_.data.directory}});
}

void Application::set_up_log(const Invocation& invocation) const {
  const LogSettings& settings = host_settings_.log;
  const bool as_text = settings.format == LogFormatChoice::text ||
                       (settings.format == LogFormatChoice::auto_ && ::isatty(STDERR_FILENO) == 1);
  set_log_format(as_text ? LogFormat::text : LogFormat::json);
  // Whoever gives a command reads its answer, not what a server would log of it.
  const bool quiet =
      invocation.command != "serve" && config_.find("log.level")->origin == config::Origin::default_value;
  set_log_level(quiet ? LogLevel::warn : settings.level);
}

Result<void> Application::dispatch(const Invocation& invocation) {
  for (const AddedCommand& command : commands_) {
    if (command.spec.name != invocation.command) continue;
    if (!command.spec.makes_database)
      if (auto there = check_database_exists(*this); !there) return there;
    auto host = Host::open(*this, command.spec.makes_database ? HostPurpose::prepare : HostPurpose::command);
    if (!host) return std::unexpected(std::move(host.error()));
    return command.body(**host, invocation.arguments);
  }
  return run_builtin_command(*this, invocation);
}

}  // namespace bedplate::app
