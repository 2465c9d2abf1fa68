// SPDX-License-Identifier: Apache-2.0
// Where settings come from, how they are shown, and what is said about each kind of bad one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "server.h"

namespace bedplate::e2e {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class Configuration : public ::testing::Test {
 protected:
  /// Writes a file of the test's directory; its path.
  std::string file(const std::string& name, const std::string& text) const {
    FILE* out = std::fopen((directory_ / name).c_str(), "w");
    std::fputs(text.c_str(), out);
    std::fclose(out);
    return directory_ / name;
  }
  /// Serving is refused with exactly this, with exit status 2, and before anything is made.
  void expect_refused(const std::vector<std::string>& arguments, const std::string& message,
                      const Process::Environment& environment = {}) const {
    std::vector<std::string> all = {"serve", "--data", directory_ / "data"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Output output = run(std::move(all), environment);
    EXPECT_EQ(output.exit.status, 2);
    EXPECT_EQ(output.out, "");
    EXPECT_THAT(output.err, HasSubstr("bedplate: " + message + "\n"));
    EXPECT_NE(::access((directory_ / "data").c_str(), F_OK), 0);
  }

  TempDir directory_;
};

TEST_F(Configuration, EachSourceOverridesTheOneBefore) {
  const std::string path =
      file("c.toml", "[server]\nthreads = 3\nidle_timeout_ms = 1000\nbody_size_max = 2000\n");
  const std::string shown =
      run_well({"config", "--config", path, "--set", "server.threads=5"},
               {{"BEDPLATE_SERVER_THREADS", "4"}, {"BEDPLATE_SERVER_IDLE_TIMEOUT_MS", "2000"}});
  EXPECT_THAT(shown, ContainsRegex("\nthreads = 5 +# --set server.threads\n"));
  EXPECT_THAT(shown, ContainsRegex("\nidle_timeout_ms = 2000 +# BEDPLATE_SERVER_IDLE_TIMEOUT_MS\n"));
  EXPECT_THAT(shown, HasSubstr("# " + path + ":4\n"));
  EXPECT_THAT(shown, ContainsRegex("\nheader_timeout_ms = [0-9]+ +# default\n"));
}

TEST_F(Configuration, SecretsAreMaskedAndMayStandInFiles) {
  const std::string secret = file("token", "hunter2hunter2\n");
  const std::string shown = run_well({"config", "--set", "telemetry.metrics_token_file=" + secret});
  EXPECT_THAT(shown, ContainsRegex("\nmetrics_token = \"\\*\\*\\*\" +# "));
  EXPECT_THAT(shown, Not(HasSubstr("hunter2")));
  EXPECT_THAT(run_well({"config"}, {{"BEDPLATE_TELEMETRY_METRICS_TOKEN", "hunter2"}}),
              Not(HasSubstr("hunter2")));

  Server server(directory_ / "data",
                {.listen = "127.0.0.1:0", .settings = {"telemetry.metrics_token_file=" + secret}});
  HttpConnection http(server.url());
  EXPECT_EQ(http.get("/metrics").status, 404);
  EXPECT_EQ(http.get("/metrics", bearer("hunter2hunter2")).status, 200);
}

TEST_F(Configuration, ASecretFileThatIsMissingIsSaid) {
  expect_refused(
      {"--set", "telemetry.metrics_token_file=/nowhere"},
      "--set telemetry.metrics_token_file: telemetry.metrics_token_file: cannot read /nowhere: No such "
      "file or directory");
}

TEST_F(Configuration, TheReferenceNamesEverySettingAndIsAConfiguration) {
  const std::string reference = run_well({"config", "reference"});
  for (const char* text : {"[server]\n", "[rate_limit]\n", "[identity.login_throttle]\n", "#threads = 0\n",
                           "BEDPLATE_SERVER_THREADS", "#metrics_token_file = \"\"\n"})
    EXPECT_THAT(reference, HasSubstr(text));
  EXPECT_THAT(run_well({"config", "--config", file("r.toml", reference)}), HasSubstr("# default\n"));
}

TEST_F(Configuration, AnUnknownKeyInAFile) {
  const std::string path = file("c.toml", "[server]\nthreads = 2\n\nlisen = \"x\"\n");
  expect_refused({"--config", path},
                 path + ":4: unknown key \"server.lisen\"; did you mean \"server.listen\"?");
}

TEST_F(Configuration, AnUnknownSection) {
  const std::string path = file("c.toml", "\n[severs]\nthreads = 2\n");
  expect_refused({"--config", path}, path + ":2: unknown section [severs]; did you mean [server]?");
}

TEST_F(Configuration, AnOriginThatMatchesNothing) {
  expect_refused(
      {"--set", R"(cors.allowed_origins=["https://a.example/"])"},
      "--set cors.allowed_origins: cors.allowed_origins has \"https://a.example/\", which can match "
      "nothing; no browser sends that as its Origin: write https://a.example");
}

TEST_F(Configuration, AnUnknownFlag) {
  expect_refused({"--set", "server.thread=2"},
                 "--set server.thread: unknown key \"server.thread\"; did you mean \"server.threads\"?");
  expect_refused({"--set", "server.threads"},
                 "--set takes KEY=VALUE, for example --set server.threads=2; this is 'server.threads'");
}

TEST_F(Configuration, AnUnknownVariableIsOnlyAWarning) {
  const Output output = run({"config"}, {{"BEDPLATE_SERVER_THREAD", "2"}});
  EXPECT_EQ(output.exit.status, 0);
  EXPECT_THAT(output.err, HasSubstr("BEDPLATE_SERVER_THREAD is not a setting and is ignored; did you mean "
                                    "BEDPLATE_SERVER_THREADS?"));
}

TEST_F(Configuration, AnEmptyDatabaseUrlIsSaid) {
  const Output output = run({"config", "--data", directory_ / "data"}, {{"BEDPLATE_DATABASE_URL", ""}});
  EXPECT_EQ(output.exit.status, 0);
  EXPECT_THAT(output.err,
              HasSubstr("BEDPLATE_DATABASE_URL is empty, so the database is a SQLite file in the data "
                        "directory"));
}

TEST_F(Configuration, AValueOfTheWrongType) {
  const std::string path = file("c.toml", "[server]\nthreads = \"two\"\n");
  const Output output = run({"serve", "--config", path, "--data", directory_ / "data"});
  EXPECT_EQ(output.exit.status, 2);
  EXPECT_THAT(output.err, HasSubstr("bedplate: " + path + ":2: server.threads must be "));
  EXPECT_THAT(run({"config"}, {{"BEDPLATE_RATE_LIMIT_ENABLED", "perhaps"}}).err,
              HasSubstr("bedplate: BEDPLATE_RATE_LIMIT_ENABLED: rate_limit.enabled must be "));
  EXPECT_THAT(run({"config", "--set", "log.level=loud"}).err,
              HasSubstr("bedplate: --set log.level: log.level "));
}

TEST_F(Configuration, AValueOutOfRange) {
  expect_refused({"--set", "server.threads=99999"},
                 "--set server.threads: server.threads must be a whole number from 0 to 1024");
}

TEST_F(Configuration, AFileThatIsNotToml) {
  const std::string path = file("c.toml", "[server]\nthreads = \n");
  const Output output = run({"config", "--config", path});
  EXPECT_EQ(output.exit.status, 2);
  EXPECT_THAT(output.err, HasSubstr("bedplate: " + path + ":2"));
}

TEST_F(Configuration, AFileThatIsMissing) {
  expect_refused({"--config", "/nowhere.toml"}, "cannot read /nowhere.toml: No such file or directory");
}

TEST_F(Configuration, EveryProblemAtOnce) {
  const std::string path =
      file("c.toml", "[server]\nlisen = 1\nthreads = 5000\n[database.sqlite]\ncache_kib = 1\n");
  const Output output = run({"config", "--config", path, "--set", "nothing=1"});
  EXPECT_EQ(output.exit.status, 2);
  for (const char* text : {":2: ", ":3: ", ":5: ", "--set nothing: "})
    EXPECT_THAT(output.err, HasSubstr(text));
}

}  // namespace
}  // namespace bedplate::e2e
