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
  return parse_command_line({"notes", "1.2.3", "Keeps notes."},
                            {{"demo", "Make samples", {}}, {"admin grant", "Grant", {"EMAIL"}}},
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
