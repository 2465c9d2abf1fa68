// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bedplate::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

ParsedCommandLine parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "notes");
  return parse_command_line(
      {"notes", "1.2.3", "Keeps notes."},
      {{"demo", "Make samples", {}},
       {.name = "admin grant",
        .doc = "Grant",
        .arguments = {{"EMAIL", "Address of the account"}},
        .group_doc = "Manage users"},
       {.name = "admin list",
        .doc = "List",
        .arguments = {{"GROUP", "Which of them"}},
        .flags = {{"--json", "As JSON"}, {"--all", "All of them"}, {"--limit", "How many", "N"}}}},
      static_cast<int>(arguments.size()), arguments.data());
}

TEST(CommandLineTest, ServeTakesItsShortFlagsAsSettings) {
  auto parsed = parse({"serve", "--listen", "127.0.0.1:0", "--listen", "[::1]:0", "--data", "/d", "--config",
                       "/c.toml", "--set", "server.threads=2", "--set", "a.b=x=y"});
  ASSERT_TRUE(parsed.invocation) << parsed.message;
  EXPECT_EQ(parsed.invocation->command, "serve");
  EXPECT_EQ(parsed.invocation->options.config_file, "/c.toml");
  EXPECT_THAT(parsed.invocation->options.settings,
              ElementsAre(Pair("server.threads", "2"), Pair("a.b", "x=y")));
  EXPECT_EQ(parsed.invocation->options.data_directory, "/d");
  EXPECT_THAT(parsed.invocation->options.listen, ElementsAre("127.0.0.1:0", "[::1]:0"));
}

TEST(CommandLineTest, TwoWordCommandsAndTheirArguments) {
  auto parsed = parse({"admin", "grant", "ada@example.com"});
  ASSERT_TRUE(parsed.invocation) << parsed.message;
  EXPECT_EQ(parsed.invocation->command, "admin grant");
  EXPECT_THAT(parsed.invocation->arguments, ElementsAre("ada@example.com"));
  parsed = parse({"migrate", "down", "tasks", "--steps", "2", "--dry-run"});
  ASSERT_TRUE(parsed.invocation) << parsed.message;
  EXPECT_EQ(parsed.invocation->module, "tasks");
  EXPECT_EQ(parsed.invocation->steps, 2);
  EXPECT_TRUE(parsed.invocation->dry_run);
}

TEST(CommandLineTest, FlagsThatWereGivenFollowTheArguments) {
  EXPECT_THAT(parse({"admin", "list", "staff"}).invocation->arguments, ElementsAre("staff"));
  EXPECT_THAT(parse({"admin", "list", "--json", "staff"}).invocation->arguments,
              ElementsAre("staff", "--json"));
  EXPECT_THAT(parse({"admin", "list", "staff", "--json", "--all"}).invocation->arguments,
              ElementsAre("staff", "--all", "--json"));
  EXPECT_EQ(parse({"admin", "grant", "ada@example.com", "--json"}).exit_status, 2);
  EXPECT_THAT(parse({"admin", "list", "--help"}).message, HasSubstr("As JSON"));
}

TEST(CommandLineTest, OptionsWithValuesFollowTheArgumentsToo) {
  const auto arguments = parse({"admin", "list", "--limit", "10", "staff", "--json"}).invocation->arguments;
  EXPECT_THAT(arguments, ElementsAre("staff", "--json", "--limit=10"));
  EXPECT_EQ(value_of(arguments, "--limit"), "10");
  EXPECT_EQ(value_of(arguments, "--lim"), std::nullopt);
  EXPECT_EQ(value_of(parse({"admin", "list", "staff"}).invocation->arguments, "--limit"), std::nullopt);
  EXPECT_EQ(parse({"admin", "list", "staff", "--limit"}).exit_status, 2);
  EXPECT_EQ(parse({"admin", "list", "staff", "--limit="}).exit_status, 2);
}

TEST(CommandLineTest, ConfigWithAndWithoutReference) {
  EXPECT_EQ(parse({"config"}).invocation->command, "config");
  EXPECT_EQ(parse({"config", "reference"}).invocation->command, "config reference");
}

TEST(CommandLineTest, HelpIsACommandToo) {
  for (const auto& [asked, same] :
       {std::pair(parse({"help"}), parse({"--help"})),
        std::pair(parse({"help", "admin", "grant"}), parse({"admin", "grant", "--help"}))}) {
    EXPECT_EQ(asked.exit_status, 0);
    EXPECT_EQ(asked.message, same.message);
    EXPECT_THAT(asked.message, HasSubstr("Usage: notes"));
  }
}

TEST(CommandLineTest, PortIsShortForAnAddressOfLoopback) {
  auto parsed = parse({"serve", "--port", "0", "--listen", "[::1]:1"});
  ASSERT_TRUE(parsed.invocation) << parsed.message;
  EXPECT_THAT(parsed.invocation->options.listen, ElementsAre("[::1]:1", "127.0.0.1:0"));
  EXPECT_EQ(parse({"serve", "--port", "65536"}).exit_status, 2);
  EXPECT_EQ(parse({"serve", "--port", "x"}).exit_status, 2);
}

TEST(CommandLineTest, HelpSaysDefaultsAndWhereTheRestStands) {
  const std::string serve = parse({"serve", "--help"}).message;
  EXPECT_THAT(serve, HasSubstr("default: notes-data"));
  EXPECT_THAT(serve, HasSubstr("default: 127.0.0.1:8080"));
  EXPECT_THAT(serve, HasSubstr("notes config reference"));
  EXPECT_THAT(parse({"admin", "grant", "--help"}).message, HasSubstr("Address of the account"));
  EXPECT_THAT(parse({"migrate", "down", "--help"}).message, HasSubstr("Module whose migration"));
  const std::string root = parse({"--help"}).message;
  EXPECT_THAT(root, HasSubstr("`migrate data` copies all data to another database"));
  EXPECT_THAT(root, HasSubstr("Manage users"));
  EXPECT_THAT(root, HasSubstr("'notes COMMAND --help'"));
}

TEST(CommandLineTest, AnEmptyValueIsRefused) {
  for (const auto& [call, named] : std::vector<std::pair<std::vector<const char*>, const char*>>{
           {{"serve", "--data", ""}, "notes serve: --data is empty"},
           {{"serve", "--config", ""}, "notes serve: --config is empty"},
           {{"serve", "--listen", ""}, "notes serve: --listen is empty"},
           {{"serve", "--set", ""}, "notes serve: --set is empty"},
           {{"serve", "--data="}, "--data"},
           {{"migrate", "data", "--to", ""}, "notes migrate data: --to is empty"},
           {{"backup", ""}, "notes backup: FILE is empty"},
           {{"admin", "grant", ""}, "notes admin grant: EMAIL is empty"}}) {
    auto parsed = parse(call);
    EXPECT_FALSE(parsed.invocation) << call[0];
    EXPECT_EQ(parsed.exit_status, 2) << call[0];
    EXPECT_THAT(parsed.message, HasSubstr(named));
  }
}

TEST(CommandLineTest, AMisspeltOptionIsAnsweredWithTheNearestOne) {
  for (const auto& [call, meant] : std::vector<std::pair<std::vector<const char*>, const char*>>{
           {{"serve", "--prot", "8080"}, "there is no option '--prot'; did you mean '--port'?"},
           {{"serve", "--prot=8080"}, "there is no option '--prot'; did you mean '--port'?"},
           {{"serve", "--data", "x", "--lisen", "a:1"}, "'--lisen'; did you mean '--listen'?"},
           {{"serve", "-data", "x"}, "'-data'; did you mean '--data'?"},
           {{"backup", "--dta", "x"}, "'--dta'; did you mean '--data'?"},
           {{"migrate", "up", "--dryrun"}, "'--dryrun'; did you mean '--dry-run'?"},
           {{"migrate", "data", "--too", "x"}, "'--too'; did you mean '--to'?"},
           {{"migrate", "--hlep"}, "notes migrate: there is no option '--hlep'; did you mean '--help'?"},
           {{"--versoin"}, "notes: there is no option '--versoin'; did you mean '--version'?"}}) {
    auto parsed = parse(call);
    EXPECT_EQ(parsed.exit_status, 2) << call[0];
    EXPECT_THAT(parsed.message, HasSubstr(meant));
  }
  EXPECT_THAT(parse({"migrate", "down", "tasks", "--steps", "-1"}).message, HasSubstr("1 to 1000"));
}

TEST(CommandLineTest, WhatIsWrongIsSaid) {
  auto parsed = parse({});
  EXPECT_FALSE(parsed.invocation);
  EXPECT_EQ(parsed.exit_status, 2);
  EXPECT_THAT(parsed.message, HasSubstr("serve "));
  parsed = parse({"migrate"});
  EXPECT_EQ(parsed.exit_status, 2);
  EXPECT_THAT(parsed.message, HasSubstr("status "));
  EXPECT_THAT(parse({"sevre"}).message,
              HasSubstr("notes: there is no command 'sevre'; did you mean 'serve'?"));
  parsed = parse({"help", "admni"});
  EXPECT_EQ(parsed.exit_status, 2);
  EXPECT_THAT(parsed.message, HasSubstr("notes: there is no command 'admni'; did you mean 'admin'?"));
  EXPECT_THAT(parse({"migrate", "upp"}).message,
              HasSubstr("notes migrate: there is no command 'upp'; did you mean 'up'?"));
  EXPECT_THAT(parse({"serve", "--dat", "x"}).message,
              HasSubstr("notes serve: there is no option '--dat'; did you mean '--data'?"));
  EXPECT_THAT(parse({"migrate", "down", "tasks", "--steps", "0"}).message, HasSubstr("1 to 1000"));
  parsed = parse({"serve", "--sett", "a=b"});
  EXPECT_EQ(parsed.exit_status, 2);
  EXPECT_THAT(parsed.message, HasSubstr("--sett"));
  parsed = parse({"serve", "--set", "server.threads"});
  EXPECT_EQ(parsed.exit_status, 2);
  EXPECT_THAT(parsed.message, HasSubstr("KEY=VALUE"));
  parsed = parse({"admin", "grant"});
  EXPECT_EQ(parsed.exit_status, 2);
  EXPECT_THAT(parsed.message, HasSubstr("notes admin grant: EMAIL is required"));
}

TEST(CommandLineTest, HelpAndVersionSucceed) {
  auto parsed = parse({"--help"});
  EXPECT_EQ(parsed.exit_status, 0);
  EXPECT_THAT(parsed.message, HasSubstr("serve"));
  EXPECT_THAT(parse({"--version"}).message, HasSubstr("notes 1.2.3"));
}

}  // namespace
}  // namespace bedplate::app
