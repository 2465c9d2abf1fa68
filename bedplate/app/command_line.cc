// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/command_line.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <sstream>
#include <utility>

#include "bedplate/base/text.h"
#include "bedplate/http/settings.h"

namespace bedplate::app {
namespace {

constexpr std::int64_t kStepsMax = 1'000;

// CLI11 writes into these while it parses; they outlive the parse.
struct Targets {
  std::string config_file;
  std::string data;
  std::vector<std::string> listen;
  std::vector<std::uint16_t> ports;
  std::vector<std::string> sets;
  std::map<std::string, std::vector<std::string>> arguments;
  std::map<std::string, std::map<std::string, bool>> flags;
  std::map<std::string, std::map<std::string, std::string>> values;
  bool dry_run = false;
  std::int64_t steps = 1;
  std::string to;
  std::string skip_bad_rows;
  std::string module;
  std::string directory;
};

void add_common_options(CLI::App& command, const std::string& program, Targets& targets) {
  command
      .add_option("--data", targets.data,
                  "Data directory (default: " + program + "-data); short for --set data.directory=DIR")
      ->type_name("DIR");
  command
      .add_option("--config", targets.config_file,
                  "Read settings from this TOML file (default: $BEDPLATE_CONFIG, if it is set)")
      ->type_name("FILE");
  command.add_option("--set", targets.sets, "Set one setting, as in server.threads=2; repeatable")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command.footer("Every setting with its default and meaning: " + program + " config reference");
}

void add_listen_options(CLI::App& serve, Targets& targets) {
  serve
      .add_option("--listen", targets.listen,
                  "Address to listen on (default: " + http::ServerSettings().listen.front() +
                      "); repeatable. Port 0 takes a free one")
      ->type_name("HOST:PORT")
      ->allow_extra_args(false);
  serve.add_option("--port", targets.ports, "Short for --listen 127.0.0.1:PORT; repeatable")
      ->type_name("PORT")
      ->allow_extra_args(false)
      ->check(CLI::Range(0, 65'535));
}

void add_arguments(CLI::App& command, const CommandSpec& spec, Targets& targets) {
  std::vector<std::string>& values = targets.arguments[spec.name];
  values.resize(spec.arguments.size());
  for (std::size_t i = 0; i < spec.arguments.size(); ++i)
    command.add_option(spec.arguments[i].name, values[i], spec.arguments[i].doc)->required()->type_name("");
  for (const CommandFlag& flag : spec.flags) {
    if (flag.value_name.empty())
      command.add_flag(flag.name, targets.flags[spec.name][flag.name], flag.doc);
    else
      command.add_option(flag.name, targets.values[spec.name][flag.name], flag.doc)
          ->type_name(flag.value_name);
  }
}

struct Commands {
  std::map<std::string, CLI::App*> by_name;
  std::map<std::string, CLI::App*> groups;
};

// The command of that name below `root`; the first of two words is a group, or a command itself (`config`).
CLI::App& add_command(CLI::App& root, const CommandSpec& spec, Commands& commands) {
  CLI::App* parent = &root;
  std::string last = spec.name;
  if (std::size_t space = spec.name.find(' '); space != std::string::npos) {
    std::string first = spec.name.substr(0, space);
    last = spec.name.substr(space + 1);
    if (const auto command = commands.by_name.find(first); command != commands.by_name.end()) {
      parent = command->second;
    } else {
      CLI::App*& group = commands.groups[first];
      if (!group) {
        group = root.add_subcommand(first, spec.group_doc);
        group->require_subcommand(1);
      }
      parent = group;
    }
  }
  CLI::App* command = parent->add_subcommand(last, spec.doc);
  commands.by_name[spec.name] = command;
  return *command;
}

std::vector<CommandSpec> built_in_commands() {
  return {
      {.name = "serve", .doc = "Run the server; prints its URL once it accepts connections", .arguments = {}},
      {.name = "migrate status",
       .doc = "List every migration, applied or pending",
       .arguments = {},
       .group_doc =
           "Apply, roll back, write or check migrations, show their status; `migrate data` copies all "
           "data to another database"},
      {.name = "migrate up", .doc = "Apply all pending migrations", .arguments = {}},
      {.name = "migrate down",
       .doc = "Roll back the latest migration of a module",
       .arguments = {{"MODULE", "Module whose migration is rolled back; `migrate status` lists them"}}},
      {.name = "migrate check",
       .doc = "Compare the tables of the database with those that the program describes",
       .arguments = {}},
      {.name = "migrate new",
       .doc = "Write the migration that makes the tables of a module as they are described",
       .arguments = {{"NAME", "What it does, as in add_due_date; lower case letters, digits, underscores"}}},
      {.name = "migrate data",
       .doc = "Copy all data to another, empty database and compare; run again, it resumes",
       .arguments = {}},
      {.name = "config",
       .doc = "Print the settings in effect and where each comes from; `config reference` explains every "
              "setting",
       .arguments = {}},
      {.name = "config reference",
       .doc = "Print every setting with its default, range and meaning, as a TOML file",
       .arguments = {}},
      {.name = "sql",
       .doc = "Print the statements of the described tables, and the named ones",
       .arguments = {}},
      {.name = "openapi", .doc = "Print the OpenAPI document of all operations", .arguments = {}},
      {.name = "health",
       .doc = "Print what /healthz of the running server says; exit status 1 when a check fails",
       .arguments = {}},
      {.name = "metrics", .doc = "Print /metrics of the running server", .arguments = {}},
      {.name = "backup",
       .doc = "Back up the database to a new file (safe while the server runs)",
       .arguments = {{"FILE", "Backup to write; it must not exist yet"}}},
      {.name = "restore",
       .doc = "Replace the database with a backup (stop the server first)",
       .arguments = {{"FILE", "Backup to restore"}}},
  };
}

// "KEY=VALUE", or what is wrong with it.
std::optional<std::string> split_setting(const std::string& text, CommonOptions& options) {
  std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return "--set takes KEY=VALUE, for example --set server.threads=2; this is '" + text + "'";
  options.settings.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  return std::nullopt;
}

ParsedCommandLine refuse(const std::string& program, const std::string& why) {
  return {.invocation = {}, .message = program + ": " + why + "\n", .exit_status = 2};
}

const CLI::App* find_command(const CLI::App& group, std::string_view name) {
  for (const CLI::App* command : group.get_subcommands([](const CLI::App*) { return true; }))
    if (command->get_name() == name) return command;
  return nullptr;
}

std::vector<std::string> names_of_commands(const CLI::App& group) {
  std::vector<std::string> names;
  for (const CLI::App* known : group.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(known->get_name());
  return names;
}

std::vector<std::string> names_of_options(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

// "; did you mean 'serve'?", or nothing.
std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
  const std::vector<std::string_view> candidates(known.begin(), known.end());
  const auto nearest = find_nearest(word, candidates);
  return nearest ? "; did you mean '" + std::string(*nearest) + "'?" : "";
}

/// The command that a call names, as far as its words are known.
struct CalledCommand {
  CalledCommand(const CLI::App& root, int argc, const char* const* argv)
      : command(&root), name(root.get_name()) {
    for (; at < argc; ++at) {
      const CLI::App* next = find_command(*command, argv[at]);
      if (!next) break;
      command = next;
      group = name;
      name += " " + next->get_name();
    }
    wants_command = command->get_require_subcommand_min() > 0;
    is_unknown = wants_command && at < argc && argv[at][0] != '-';
  }
  const CLI::App* command;
  std::string group, name;
  int at = 1;          ///< the first word that is not one of the command's
  bool wants_command;  ///< It is none by itself, as `migrate`.
  bool is_unknown;     ///< The word there stands where a command must.
};

// An option that the command does not have, with what was probably meant; nothing when it has all of them.
std::optional<std::string> unknown_option(const CLI::App& command, int at, int argc,
                                          const char* const* argv) {
  bool is_value = false;  // of the option before it
  for (; at < argc; ++at) {
    const std::string word = argv[at];
    const std::string name = word.substr(0, word.find('='));
    if (std::exchange(is_value, false) || word.size() < 2 || !word.starts_with('-')) continue;
    if (const CLI::Option* option = command.get_option_no_throw(name))
      is_value = option->get_expected_max() > 0 && name == word;
    else
      return "there is no option '" + name + "'" + suggestion(name, names_of_options(command));
  }
  return std::nullopt;
}

// An unset shell variable leaves an empty word: whoever wrote --data "$DIRECTORY" meant a directory.
std::optional<std::string> empty_value(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options())
    for (const std::string& value : option->results())
      if (value.empty()) return option->get_name() + " is empty; give it a value or leave it out";
  return std::nullopt;
}

// What is wrong with a call, in the name of the command that was meant: "bedplate admin grant: EMAIL is required".
ParsedCommandLine explain(const CLI::ParseError& error, const CLI::App& root, int argc,
                          const char* const* argv) {
  auto [command, group, called, at, wants_command, is_unknown] = CalledCommand(root, argc, argv);
  if (wants_command && at == argc)
    return {.invocation = {}, .message = command->help(group), .exit_status = 2};
  std::string why = error.what();
  if (is_unknown) {
    why = "there is no command '" + std::string(argv[at]) + "'" +
          suggestion(argv[at], names_of_commands(*command));
  } else if (auto unknown = unknown_option(*command, at, argc, argv)) {
    why = *unknown;
  }
  const char* listed = wants_command ? "the list of commands" : "its options";
  return refuse(called, why + "\nRun '" + called + " --help' for " + listed + ".");
}

ParsedCommandLine interpret(const ProgramInfo& program, const std::string& name, const CLI::App& command,
                            Targets& targets) {
  if (auto empty = empty_value(command)) return refuse(program.name + " " + name, *empty);
  Invocation invocation;
  invocation.command = name;
  invocation.options.config_file = targets.config_file;
  for (const std::string& text : targets.sets)
    if (auto wrong = split_setting(text, invocation.options)) return refuse(program.name, *wrong);
  invocation.options.data_directory = targets.data;
  invocation.options.listen = targets.listen;
  for (const std::uint16_t port : targets.ports)
    invocation.options.listen.push_back("127.0.0.1:" + std::to_string(port));
  invocation.arguments = targets.arguments[name];
  for (const auto& [flag, given] : targets.flags[name])
    if (given) invocation.arguments.push_back(flag);
  for (const auto& [option, value] : targets.values[name])
    if (!value.empty()) invocation.arguments.push_back(option + "=" + value);
  std::sort(invocation.arguments.begin() + static_cast<std::ptrdiff_t>(targets.arguments[name].size()),
            invocation.arguments.end());
  invocation.module = targets.module;
  invocation.directory = targets.directory;
  if (name == "migrate down") invocation.module = invocation.arguments.at(0);
  invocation.dry_run = targets.dry_run;
  invocation.steps = targets.steps;
  invocation.to = targets.to;
  invocation.skip_bad_rows = targets.skip_bad_rows;
  return {.invocation = std::move(invocation), .message = {}, .exit_status = 0};
}

}  // namespace

std::optional<std::string_view> value_of(std::span<const std::string> arguments, std::string_view option) {
  for (const std::string_view argument : arguments)
    if (argument.starts_with(option) && argument.substr(option.size()).starts_with('='))
      return argument.substr(option.size() + 1);
  return std::nullopt;
}

ParsedCommandLine parse_command_line(const ProgramInfo& program, const std::vector<CommandSpec>& extra,
                                     int argc, const char* const* argv) {
  if (argc > 1 && std::string_view(argv[1]) == "help") {  // `help serve` is `serve --help`
    std::vector<const char*> asked(argv, argv + argc);
    asked.erase(asked.begin() + 1);
    asked.push_back("--help");
    return parse_command_line(program, extra, argc, asked.data());
  }
  Targets targets;
  CLI::App root(program.doc, program.name);
  root.set_version_flag("--version", program.name + " " + program.version);
  root.require_subcommand(1);
  root.footer("'" + program.name + " COMMAND --help' shows the options of a command.");
  Commands commands;
  std::vector<CommandSpec> specs = built_in_commands();
  specs.insert(specs.end(), extra.begin(), extra.end());
  for (const CommandSpec& spec : specs) {
    CLI::App& command = add_command(root, spec, commands);
    add_common_options(command, program.name, targets);
    add_arguments(command, spec, targets);
  }
  add_listen_options(*commands.by_name["serve"], targets);
  for (const char* name : {"migrate up", "migrate down"})
    commands.by_name[name]->add_flag("--dry-run", targets.dry_run,
                                     "Run the migrations, show them, and roll them back");
  commands.by_name["migrate down"]
      ->add_option("--steps", targets.steps, "How many migrations to roll back (default: 1)")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, kStepsMax));
  commands.by_name["sql"]->add_option("MODULE", targets.module, "Only those of this module")->type_name("");
  commands.by_name["migrate new"]
      ->add_option("--module", targets.module, "Module whose tables are compared (default: the only one)")
      ->type_name("MODULE");
  commands.by_name["migrate new"]
      ->add_option(
          "--dir", targets.directory,
          "Where to write (default: apps/MODULE/migrations and the like, whichever holds the others)")
      ->type_name("DIR");
  commands.by_name["migrate data"]
      ->add_option("--to", targets.to, "Database to copy to: sqlite:PATH or postgresql://...")
      ->type_name("URL")
      ->required();
  commands.by_name["migrate data"]
      ->add_option("--skip-bad-rows", targets.skip_bad_rows,
                   "Leave out rows that the other database does not take, and write down which (JSON lines)")
      ->type_name("FILE");

  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0 || CalledCommand(root, argc, argv).is_unknown)
      return explain(error, root, argc, argv);
    std::ostringstream out, problems;
    root.exit(error, out, problems);  // --help and --version are errors to CLI11
    return {.invocation = {}, .message = out.str(), .exit_status = 0};
  }
  std::string chosen;
  for (const auto& [name, command] : commands.by_name)
    if (command->parsed() && name.size() > chosen.size()) chosen = name;
  return interpret(program, chosen, *commands.by_name[chosen], targets);
}

}  // namespace bedplate::app
