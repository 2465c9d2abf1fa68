#include "bedplate/app/application.h"

#include <cstdio>
#include <cstdlib>

#include "bedplate/api/rest/idempotency.h"
#include "bedplate/app/builtin_commands.h"
#include "bedplate/base/log.h"

namespace bedplate::app {
Application::Application(ProgramInfo program) : program_(std::move(program)) {
  host_settings_.data.directory = program_.name + "-data";
  settings("data", host_settings_.data);
  settings("database", host_settings_.database);
  settings("cache", host_settings_.cache);
  settings("server", host_settings_.server);
  settings("log", host_settings_.log);
  settings("telemetry", host_settings_.telemetry);
  settings("rest", host_settings_.rest);
  settings("rate_limit", host_settings_.rate_limit);
  settings("cors", host_settings_.cors);
  settings("idempotency", host_settings_.idempotency);
  migrations("api", api::idempotency_migrations());
}

Application::~Application() = default;

void Application::migrations(std::string_view module, std::span<const EmbeddedFile> files) {
  migrations_.push_back({module, files});
}

void Application::command(CommandSpec spec, CommandBody body) {
  commands_.push_back({std::move(spec), std::move(body)});
}

Result<void> Application::wire_into(Host& host) const {
  if (!wire_) return {};
  return wire_(host);
}

Result<void> Application::configure(const CommonOptions& options) {
  config::Sources sources;
  sources.environment = config::process_environment();
  sources.variables_ignored = {"BEDPLATE_CONFIG"};
  std::string file = options.config_file;
  if (const char* named = std::getenv("BEDPLATE_CONFIG"); file.empty() && named) file = named;
  if (!file.empty()) {
    auto read = config::read_file(file);
    if (!read) return std::unexpected(std::move(read.error()));
    sources.file = std::move(*read);
  }
  for (const auto& [key, value] : options.settings) sources.flags.push_back({"--set " + key, key, value});
  if (auto loaded = config_.load(sources); !loaded) return loaded;
  for (const std::string& warning : config_.warnings()) log_warn(warning, {});
  return {};
}

int Application::run(int argc, const char* const* argv) {
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
  set_log_level(host_settings_.log.level);
  Result<void> done = dispatch(*parsed.invocation);
  if (done) return 0;
  std::fprintf(stderr, "%s: %s\n", program_.name.c_str(), done.error().detail().c_str());
  return 1;
}

Result<void> Application::dispatch(const Invocation& invocation) {
  for (const AddedCommand& command : commands_) {
    if (command.spec.name != invocation.command) continue;
    auto host = Host::open(*this, HostPurpose::command);
    if (!host) return std::unexpected(std::move(host.error()));
    return command.body(**host, invocation.arguments);
  }
  return run_builtin_command(*this, invocation);
}

}  // namespace bedplate::app
