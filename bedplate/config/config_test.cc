// SPDX-License-Identifier: Apache-2.0
#include "bedplate/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace bedplate::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

enum class Mode { fast, safe };
consteval auto describe(Mode) {
  using namespace schema;
  return values<Mode::fast, Mode::safe>("How it works");
}

struct Tls {
  std::string certificate;
  std::optional<std::string> key;

  static consteval auto describe() {
    using namespace schema;
    return object<Tls>("Encryption", {
                                         field<&Tls::certificate>("The certificate's file"),
                                         field<&Tls::key>(secret, "The private key"),
                                     });
  }
};

struct Route {
  std::string path;
  int weight = 1;
  static consteval auto describe() {
    using namespace schema;
    return object<Route>("A route", {
                                        field<&Route::path>("Where"),
                                        field<&Route::weight>(optional_with_default),
                                    });
  }
};

struct Server {
  std::string listen = "127.0.0.1:8080";
  std::int64_t threads = 0;
  double ratio = 0.5;
  bool compress = true;
  Mode mode = Mode::safe;
  std::vector<std::string> origins;
  std::vector<int> ports = {80, 443};
  std::map<std::string, int> limits;
  std::vector<Route> routes;
  std::optional<Time> since;
  std::string token;
  Tls tls;
  std::int64_t low = 1;
  std::int64_t high = 10;

  static void check_order(const Server& server, ObjectProblems& problems) {
    if (server.low > server.high) problems.add("low", "custom", "must not be above server.high");
  }

  static consteval auto describe() {
    using namespace schema;
    return object<Server>(
        "The HTTP server",
        {
            field<&Server::listen>(length{1, 100}, "Where it listens"),
            field<&Server::threads>(range{0, 64}, "Event loops; 0: one a core"),
            field<&Server::ratio>(limits_of_ratio, "A share"),
            field<&Server::compress>("Whether answers are compressed"),
            field<&Server::mode>("How it works"),
            field<&Server::origins>(length{0, 3}, unique, each(length{1, 20}), "Who may call"),
            field<&Server::ports>(each(range{1, 65535}), "Ports"),
            field<&Server::limits>("Limits by name"),
            field<&Server::routes>("Where requests go"),
            field<&Server::since>(example("2026-01-01T00:00:00Z"), "Since when"),
            field<&Server::token>(secret, pattern("^[a-z]*$"), "A token"),
            field<&Server::tls>(),
            field<&Server::low>(),
            field<&Server::high>(deprecated),
        },
        check<&check_order>);
  }
  static constexpr schema::limits limits_of_ratio{0, 1};
};

struct Log {
  std::string level = "info";
  static consteval auto describe() {
    using namespace schema;
    return object<Log>("Logs", {field<&Log::level>(pattern("^(debug|info)$"), "Least level")});
  }
};

/// A registry with two sections, loaded from what a test gives.
class ConfigTest : public ::testing::Test {
 public:
  ConfigTest() {
    registry.add("server", server);
    registry.add("log", logs);
  }
  ~ConfigTest() override {
    for (const std::string& path : files_) ::unlink(path.c_str());
  }

  ConfigTest& file(std::string text) {
    sources.file = File{"bedplate.toml", std::move(text)};
    return *this;
  }
  ConfigTest& env(std::string variable) {
    sources.environment.push_back(std::move(variable));
    return *this;
  }
  ConfigTest& set(std::string_view flag) {
    sources.flags.push_back(parse_flag(flag).value());
    return *this;
  }
  /// The problems, one a line; "" when there are none.
  std::string load() {
    const Result<void> loaded = registry.load(sources);
    if (loaded) return "";
    EXPECT_EQ(loaded.error().category(), Category::invalid);
    EXPECT_EQ(loaded.error().code(), "config_invalid");
    return loaded.error().detail();
  }
  std::string place_of(std::string_view key) const { return registry.find(key)->place; }
  std::string temporary_file(std::string_view text) {
    std::string path = ::testing::TempDir() + "bedplate_config_XXXXXX";
    const int file = ::mkstemp(path.data());
    EXPECT_EQ(::write(file, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::close(file);
    files_.push_back(path);
    return path;
  }

  Server server;
  Log logs;
  Registry registry;
  Sources sources;

 private:
  std::vector<std::string> files_;
};

// ---- What works

TEST_F(ConfigTest, KeepsDefaultsWhenNothingIsGiven) {
  EXPECT_EQ(load(), "");
  EXPECT_EQ(server.listen, "127.0.0.1:8080");
  EXPECT_EQ(place_of("server.listen"), "default");
  EXPECT_EQ(registry.find("server.nothing"), nullptr);
  EXPECT_THAT(registry.warnings(), IsEmpty());
}

TEST_F(ConfigTest, ReadsEveryKindFromAFile) {
  file(R"(
[server]
listen = "[::1]:80"
threads = 4
ratio = 0.25
compress = false
mode = "fast"
origins = ["https://a", 'https://b']
ports = [1, 2]
limits = { get = 10, "p\u006fst" = 20 }
since = 2026-11-21T10:00:00+01:00
[[server.routes]]
path = "/a"
[[server.routes]]
path = "/b"
weight = 3
[server.tls]
certificate = """
PEM"""
)");
  EXPECT_EQ(load(), "");
  EXPECT_EQ(server.listen, "[::1]:80");
  EXPECT_EQ(server.threads, 4);
  EXPECT_EQ(server.ratio, 0.25);
  EXPECT_FALSE(server.compress);
  EXPECT_EQ(server.mode, Mode::fast);
  EXPECT_THAT(server.origins, ElementsAre("https://a", "https://b"));
  EXPECT_THAT(server.ports, ElementsAre(1, 2));
  EXPECT_EQ(server.limits, (std::map<std::string, int>{{"get", 10}, {"post", 20}}));
  EXPECT_EQ(to_rfc3339(server.since.value()), "2026-11-21T09:00:00Z");
  ASSERT_EQ(server.routes.size(), 2U);
  EXPECT_EQ(server.routes[1].path, "/b");
  EXPECT_EQ(server.routes[1].weight, 3);
  EXPECT_EQ(server.tls.certificate, "PEM");
  EXPECT_EQ(place_of("server.threads"), "bedplate.toml:4");
  EXPECT_EQ(place_of("server.tls.certificate"), "bedplate.toml:18");
}

TEST_F(ConfigTest, ReadsDottedKeys) {
  file("server.threads = 2\nserver.tls.certificate = 'x'\n");
  EXPECT_EQ(load(), "");
  EXPECT_EQ(server.threads, 2);
  EXPECT_EQ(server.tls.certificate, "x");
}

TEST_F(ConfigTest, ReadsEveryKindFromVariables) {
  env("BEDPLATE_SERVER_LISTEN=a=b,c");
  env("BEDPLATE_SERVER_RATIO=1e-1").env("BEDPLATE_SERVER_COMPRESS=false").env("BEDPLATE_SERVER_MODE=fast");
  env("BEDPLATE_SERVER_ORIGINS=https://a, https://b").env("BEDPLATE_SERVER_PORTS=[7,8]");
  env(R"(BEDPLATE_SERVER_LIMITS={"get":1})").env("BEDPLATE_SERVER_SINCE=2026-11-21T10:00:00Z");
  env(R"(BEDPLATE_SERVER_ROUTES=[{"path":"/x"}])").env("BEDPLATE_SERVER_TLS_CERTIFICATE=c").env("PATH=/bin");
  EXPECT_EQ(load(), "");
  EXPECT_EQ(server.listen, "a=b,c");
  EXPECT_EQ(server.ratio, 0.1);
  EXPECT_FALSE(server.compress);
  EXPECT_EQ(server.mode, Mode::fast);
  EXPECT_THAT(server.origins, ElementsAre("https://a", "https://b"));
  EXPECT_THAT(server.ports, ElementsAre(7, 8));
  EXPECT_EQ(server.limits.at("get"), 1);
  EXPECT_EQ(server.routes.at(0).path, "/x");
  EXPECT_EQ(server.tls.certificate, "c");
  EXPECT_EQ(place_of("server.ratio"), "BEDPLATE_SERVER_RATIO");
}

TEST_F(ConfigTest, LetsTheHigherSourceWin) {
  file("server.threads = 1\nserver.ratio = 0.1\nserver.mode = 'fast'\n");
  env("BEDPLATE_SERVER_THREADS=2").env("BEDPLATE_SERVER_RATIO=0.2");
  set("server.threads=3").set("server.threads=4");
  EXPECT_EQ(load(), "");
  EXPECT_EQ(server.threads, 4);
  EXPECT_EQ(server.ratio, 0.2);
  EXPECT_EQ(server.mode, Mode::fast);
  EXPECT_EQ(registry.find("server.threads")->origin, Origin::flag);
  EXPECT_EQ(place_of("server.threads"), "--set server.threads");
  EXPECT_EQ(place_of("server.ratio"), "BEDPLATE_SERVER_RATIO");
  EXPECT_EQ(place_of("server.mode"), "bedplate.toml:3");
}

TEST_F(ConfigTest, EmptiesAList) {
  set("server.ports=").set("server.origins=[]");
  EXPECT_EQ(load(), "");
  EXPECT_THAT(server.ports, IsEmpty());
}

TEST_F(ConfigTest, ReplacesALowerList) {
  file("server.ports = [1, 2, 3]\n");
  env("BEDPLATE_SERVER_PORTS=9");
  EXPECT_EQ(load(), "");
  EXPECT_THAT(server.ports, ElementsAre(9));
}

TEST_F(ConfigTest, NamesAFlagAsItWasWritten) {
  sources.flags.push_back({"--listen", "server.listen", ""});
  EXPECT_EQ(load(), "--listen: server.listen must have at least 1 character");
}

// ---- Every kind of bad input

TEST_F(ConfigTest, RefusesAnUnknownKeyAndNamesTheNearest) {
  file(
      "[server]\nlisten = 'x'\nthread = 1\n\n[sever]\nthreads = 2\n[colour]\nred = 1\n[log]\n\"le vel\" = "
      "1\n");
  set("server.lisetn=x").set("threads=3").set("nothing.like.it=1").set("server=1");
  EXPECT_EQ(load(),
            "bedplate.toml:3: unknown key \"server.thread\"; did you mean \"server.threads\"?\n"
            "bedplate.toml:5: unknown section [sever]; did you mean [server]?\n"
            "bedplate.toml:7: unknown section [colour]\n"
            "bedplate.toml:10: unknown key \"log.\"le vel\"\"; did you mean \"log.level\"?\n"
            "--set server.lisetn: unknown key \"server.lisetn\"; did you mean \"server.listen\"?\n"
            "--set threads: unknown key \"threads\"; did you mean \"server.threads\"?\n"
            "--set nothing.like.it: unknown key \"nothing.like.it\"\n"
            "--set server: server is a section, not a setting");
}

TEST_F(ConfigTest, RefusesValuesOfTheWrongType) {
  file(
      "[server]\nlisten = 1\nthreads = 'four'\nratio = true\ncompress = 'yes'\nports = 80\norigins = 'a'\n"
      "limits = { a = 'x' }\nsince = 2026-11-21\nroutes = [{ weight = 1, colour = 2 }]\ntls = 1\n");
  const std::string problems = load();
  EXPECT_THAT(problems, HasSubstr("bedplate.toml:2: server.listen must be a string\n"));
  EXPECT_THAT(problems, HasSubstr("bedplate.toml:3: server.threads must be a whole number\n"));
  EXPECT_THAT(problems, HasSubstr("bedplate.toml:4: server.ratio must be a number\n"));
  EXPECT_THAT(problems, HasSubstr("bedplate.toml:5: server.compress must be true or false\n"));
  EXPECT_THAT(problems, HasSubstr("bedplate.toml:6: server.ports must be a list\n"));
  EXPECT_THAT(problems, HasSubstr("bedplate.toml:7: server.origins must be a list\n"));
  EXPECT_THAT(problems, HasSubstr("bedplate.toml:8: server.limits (/a) must be a whole number\n"));
  EXPECT_THAT(problems, HasSubstr("bedplate.toml:9: server.since "));
  EXPECT_THAT(problems, HasSubstr("bedplate.toml:10: server.routes (/0/colour) "));
  EXPECT_THAT(problems, HasSubstr("bedplate.toml:10: server.routes (/0/path) "));
  EXPECT_THAT(problems, HasSubstr("bedplate.toml:11: server.tls is a section, not a setting"));
}

TEST_F(ConfigTest, RefusesNumbersThatAreNotFinite) {
  file("server.ratio = nan\nserver.ports = [inf]\n");
  EXPECT_EQ(load(),
            "bedplate.toml:1: server.ratio must be a finite number\n"
            "bedplate.toml:2: server.ports must be a finite number");
}

TEST_F(ConfigTest, RefusesTextThatIsNotOfTheType) {
  env("BEDPLATE_SERVER_THREADS=4x").env("BEDPLATE_SERVER_COMPRESS=1").env("BEDPLATE_SERVER_PORTS=1,,2");
  env("BEDPLATE_SERVER_MODE=Fast").env("BEDPLATE_SERVER_LIMITS={").env("BEDPLATE_SERVER_SINCE=yesterday");
  env("BEDPLATE_SERVER_LISTEN=\xFF").env("BEDPLATE_SERVER_RATIO=");
  const std::string problems = load();
  EXPECT_THAT(problems, HasSubstr("BEDPLATE_SERVER_THREADS: server.threads must be a whole number\n"));
  EXPECT_THAT(problems, HasSubstr("BEDPLATE_SERVER_COMPRESS: server.compress must be true or false\n"));
  EXPECT_THAT(problems, HasSubstr("BEDPLATE_SERVER_PORTS: server.ports (/1) must be a whole number\n"));
  EXPECT_THAT(problems, HasSubstr("BEDPLATE_SERVER_MODE: server.mode must be one of"));
  EXPECT_THAT(problems, HasSubstr("BEDPLATE_SERVER_LIMITS: server.limits cannot be read: "));
  EXPECT_THAT(problems, HasSubstr("BEDPLATE_SERVER_SINCE: server.since "));
  EXPECT_THAT(problems, HasSubstr("BEDPLATE_SERVER_LISTEN: server.listen "));
  EXPECT_THAT(problems, HasSubstr("BEDPLATE_SERVER_RATIO: server.ratio must be a number"));
}

TEST_F(ConfigTest, AppliesTheRulesToEverySource) {
  file("server.threads = 65\nserver.origins = ['a', 'a', '', 'd']\n");
  env("BEDPLATE_SERVER_PORTS=0").set("server.ratio=1.5");
  const std::string problems = load();
  EXPECT_THAT(problems, HasSubstr("bedplate.toml:1: server.threads must be a whole number from 0 to 64\n"));
  EXPECT_THAT(problems, HasSubstr("bedplate.toml:2: server.origins must have at most 3 items\n"));
  EXPECT_THAT(problems, HasSubstr("bedplate.toml:2: server.origins (/2) must have at least 1 character\n"));
  EXPECT_THAT(problems,
              HasSubstr("BEDPLATE_SERVER_PORTS: server.ports (/0) must be a whole number from 1 to 65535\n"));
  EXPECT_THAT(problems, HasSubstr("--set server.ratio: server.ratio must be a number from 0 to 1"));
}

TEST_F(ConfigTest, RefusesABadValueThatAHigherSourceReplaces) {
  file("server.threads = 100\n");
  set("server.threads=2");
  EXPECT_EQ(load(), "bedplate.toml:1: server.threads must be a whole number from 0 to 64");
}

TEST_F(ConfigTest, AppliesTheRulesAcrossFields) {
  set("server.low=11");
  EXPECT_EQ(load(), "--set server.low: server.low must not be above server.high");
}

TEST_F(ConfigTest, AppliesTheRulesToDefaults) {
  logs.level = "";
  const std::string problems = load();
  EXPECT_THAT(problems, HasSubstr("log.level must match"));
  EXPECT_THAT(problems, HasSubstr("; its default does not, so set it"));
}

TEST_F(ConfigTest, SaysWhereAFileIsNotToml) {
  file("[server]\nthreads = \n");
  EXPECT_THAT(load(), HasSubstr("bedplate.toml:2:"));
  EXPECT_EQ(server.threads, 0);
}

TEST_F(ConfigTest, RefusesAKeyThatStandsTwice) {
  file("[server]\nthreads = 1\nthreads = 2\n");
  EXPECT_THAT(load(), HasSubstr("bedplate.toml:3:"));
}

TEST_F(ConfigTest, RefusesAFileThatIsTooLarge) {
  file("#" + std::string(kFileSizeMax, 'x'));
  EXPECT_EQ(load(), "bedplate.toml: is larger than a configuration file may be");
}

TEST_F(ConfigTest, RefusesAFileNestedTooDeeply) {
  file("server.ports = " + std::string(100'000, '['));
  EXPECT_THAT(load(), HasSubstr("bedplate.toml:1:"));
}

TEST_F(ConfigTest, WarnsOfUnknownVariables) {
  env("BEDPLATE_SERVER_THREAD=1").env("BEDPLATE_PORT=tcp://10.0.0.1:80").env("BEDPLATE_CONFIG=x");
  sources.variables_ignored = {"BEDPLATE_CONFIG"};
  EXPECT_EQ(load(), "");
  EXPECT_THAT(
      registry.warnings(),
      ElementsAre(
          "BEDPLATE_SERVER_THREAD is not a setting and is ignored; did you mean BEDPLATE_SERVER_THREADS?",
          "BEDPLATE_PORT is not a setting and is ignored"));
}

TEST_F(ConfigTest, WarnsOfDeprecatedSettings) {
  set("server.high=20");
  EXPECT_EQ(load(), "");
  EXPECT_THAT(registry.warnings(), ElementsAre("--set server.high: server.high is deprecated"));
}

TEST_F(ConfigTest, BoundsTheList) {
  std::string text;
  for (int i = 0; i < 150; ++i) text += "unknown" + std::to_string(i) + " = 1\n";
  file(text);
  const Result<void> loaded = registry.load(sources);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().faults().size(), 100U);
  EXPECT_TRUE(loaded.error().more_faults());
  EXPECT_THAT(loaded.error().detail(), HasSubstr("\n... and 50 more"));
  EXPECT_EQ(loaded.error().faults()[0].pointer, "unknown0");
}

TEST(ParseFlag, WantsAKeyAndAValue) {
  const Flag flag = parse_flag("server.listen=a=b").value();
  EXPECT_EQ(flag.key, "server.listen");
  EXPECT_EQ(flag.value, "a=b");
  EXPECT_EQ(parse_flag("key=")->value, "");
  for (const char* text : {"", "key", "=value", " =x"}) {
    const auto bad = parse_flag(text);
    ASSERT_FALSE(bad) << text;
    EXPECT_EQ(bad.error().detail(), "--set takes key=value, as in --set server.threads=2");
  }
}

TEST(ReadFile, SaysWhyItCannot) {
  const auto missing = read_file("/nowhere/bedplate.toml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code(), "config_unreadable");
  EXPECT_EQ(missing.error().detail(), "cannot read /nowhere/bedplate.toml: No such file or directory");
  EXPECT_EQ(read_file("/").error().detail(), "cannot read /: Is a directory");
  EXPECT_EQ(read_file("/dev/zero").error().detail(), "cannot read /dev/zero: File too large");
}

// ---- Secrets

TEST_F(ConfigTest, ReadsASecretFromAFile) {
  const std::string path = temporary_file("sesame\r\n");
  env("BEDPLATE_SERVER_TOKEN_FILE=" + path);
  file("server.token = 'lower'\n[server.tls]\nkey_file = '" + path + "'\n");
  EXPECT_EQ(load(), "");
  EXPECT_EQ(server.token, "sesame");
  EXPECT_EQ(server.tls.key, "sesame");
  EXPECT_EQ(place_of("server.token"), "BEDPLATE_SERVER_TOKEN_FILE (" + path + ")");
}

TEST_F(ConfigTest, SkipsTheByteOrderMarkOfAFile) {
  const std::string secret = temporary_file("\xEF\xBB\xBFsesame\r\n");
  const std::string settings =
      temporary_file("\xEF\xBB\xBF[server]\nthreads = 2\ntoken_file = '" + secret + "'\n");
  const Result<File> read = read_file(settings);
  ASSERT_TRUE(read);
  file(read->text);
  EXPECT_EQ(load(), "");
  EXPECT_EQ(server.threads, 2);
  EXPECT_EQ(server.token, "sesame");
}

TEST_F(ConfigTest, RefusesNulInAnySetting) {
  file("[server]\nlisten = \"a\\u0000\"\norigins = ['x', \"\\u0000\"]\n");
  env("BEDPLATE_SERVER_TOKEN_FILE=" + temporary_file(std::string("se\0same", 7)));
  EXPECT_EQ(load(),
            "bedplate.toml:2: server.listen must not hold the character U+0000\n"
            "bedplate.toml:3: server.origins (/1) must not hold the character U+0000\n"
            "BEDPLATE_SERVER_TOKEN_FILE: server.token must not hold the character U+0000");
}

TEST_F(ConfigTest, LetsAHigherSecretWinOverAFile) {
  const std::string path = temporary_file("fromfile");
  file("server.token_file = '" + path + "'\n");
  set("server.token=fromflag");
  EXPECT_EQ(load(), "");
  EXPECT_EQ(server.token, "fromflag");
}

TEST_F(ConfigTest, RefusesASecretAndItsFileInOneSource) {
  const std::string path = temporary_file("sesame");
  file("[server]\ntoken = 'a'\ntoken_file = '" + path + "'\n");
  env("BEDPLATE_SERVER_TLS_KEY_FILE=" + path).env("BEDPLATE_SERVER_TLS_KEY=b");
  EXPECT_EQ(
      load(),
      "bedplate.toml:3: server.token and server.token_file are both given; give one of them\n"
      "BEDPLATE_SERVER_TLS_KEY: server.tls.key and server.tls.key_file are both given; give one of them");
}

TEST_F(ConfigTest, SaysWhyASecretFileCannotBeRead) {
  file("[server]\ntoken_file = 7\n");
  env("BEDPLATE_SERVER_TOKEN_FILE=/nowhere/x").set("server.tls.key_file=/dev/zero");
  EXPECT_EQ(
      load(),
      "bedplate.toml:2: server.token_file must be a string\n"
      "BEDPLATE_SERVER_TOKEN_FILE: server.token_file: cannot read /nowhere/x: No such file or directory\n"
      "--set server.tls.key_file: server.tls.key_file: cannot read /dev/zero: File too large");
}

TEST_F(ConfigTest, HasFileFormsOfSecretsOnly) {
  set("server.listen_file=/etc/passwd");
  EXPECT_THAT(load(), HasSubstr("unknown key \"server.listen_file\""));
}

TEST_F(ConfigTest, NeverRepeatsASecret) {
  const std::string path = temporary_file("HUSH-in-file");
  file("server.token = 'HUSH1'\n");
  env("BEDPLATE_SERVER_TOKEN=HUSH2")
      .set("server.token=HUSH3")
      .set("server.token_file=" + path)
      .set("server.tokn=HUSH4");
  const std::string problems = load();
  EXPECT_THAT(problems, HasSubstr("server.token must match"));
  EXPECT_THAT(problems, ::testing::Not(HasSubstr("HUSH")));
  EXPECT_THAT(registry.print_effective(), ::testing::Not(HasSubstr("HUSH")));
}

// ---- What is printed

TEST_F(ConfigTest, PrintsWhatIsInForceAndWhy) {
  file("[server]\nthreads = 4\nlimits = { \"a b\" = 1 }\n[[server.routes]]\npath = '/x'\n");
  env("BEDPLATE_SERVER_TOKEN=sesame").set("log.level=debug");
  EXPECT_EQ(load(), "");
  EXPECT_EQ(registry.print_effective(),
            R"([server]
listen = "127.0.0.1:8080"               # default
threads = 4                             # bedplate.toml:2
ratio = 0.5                             # default
compress = true                         # default
mode = "safe"                           # default
origins = []                            # default
ports = [80, 443]                       # default
limits = { "a b" = 1 }                  # bedplate.toml:3
routes = [{ "path" = "/x", "weight" = 1 }] # bedplate.toml:4
# since is not set                      # default
token = "***"                           # BEDPLATE_SERVER_TOKEN
low = 1                                 # default
high = 10                               # default

[server.tls]
certificate = ""                        # default
# key is not set                        # default

[log]
level = "debug"                         # --set log.level
)");
}

TEST_F(ConfigTest, PrintsAReferenceOfEverySetting) {
  EXPECT_EQ(registry.print_reference(), R"([server]
# The HTTP server

# Where it listens
# string, 1 to 100 characters; BEDPLATE_SERVER_LISTEN
#listen = "127.0.0.1:8080"

# Event loops; 0: one a core
# integer, 0 to 64; BEDPLATE_SERVER_THREADS
#threads = 0

# A share
# number, 0 to 1; BEDPLATE_SERVER_RATIO
#ratio = 0.5

# Whether answers are compressed
# boolean; BEDPLATE_SERVER_COMPRESS
#compress = true

# How it works
# one of fast, safe; BEDPLATE_SERVER_MODE
#mode = "safe"

# Who may call
# list of string, at most 3 items, no item twice, each 1 to 20 characters; BEDPLATE_SERVER_ORIGINS
#origins = []

# Ports
# list of integer, each 1 to 65535; BEDPLATE_SERVER_PORTS
#ports = [80, 443]

# Limits by name
# table of integer; BEDPLATE_SERVER_LIMITS
#limits = {}

# Where requests go
# list of table; BEDPLATE_SERVER_ROUTES
#routes = []

# Since when
# time; BEDPLATE_SERVER_SINCE
# not set by default
#since = "2026-01-01T00:00:00Z"

# A token
# string, matches ^[a-z]*$, secret; BEDPLATE_SERVER_TOKEN
#token = ""
# or a file that holds it; BEDPLATE_SERVER_TOKEN_FILE
#token_file = ""

# integer; BEDPLATE_SERVER_LOW
#low = 1

# integer, deprecated; BEDPLATE_SERVER_HIGH
#high = 10

[server.tls]
# Encryption

# The certificate's file
# string; BEDPLATE_SERVER_TLS_CERTIFICATE
#certificate = ""

# The private key
# string, secret; BEDPLATE_SERVER_TLS_KEY
# not set by default
#key = ""
# or a file that holds it; BEDPLATE_SERVER_TLS_KEY_FILE
#key_file = ""

[log]
# Logs

# Least level
# string, matches ^(debug|info)$; BEDPLATE_LOG_LEVEL
#level = "info"
)");
}

/// Two registries over the same types: what one prints, the other reads.
RC_GTEST_PROP(Printed, ComesBack, ()) {
  Server one;
  one.listen = "x" + *rc::gen::container<std::string>(rc::gen::inRange<char>(1, 127));
  one.listen.resize(std::min<std::size_t>(one.listen.size(), 100));
  one.threads = *rc::gen::inRange(0, 65);
  one.ratio = *rc::gen::inRange(0, 1'000'000) / 1e6;
  one.mode = *rc::gen::element(Mode::fast, Mode::safe);
  one.ports = *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 65'536));
  for (const int port : one.ports) one.limits["k \"" + std::to_string(port)] = port;
  Registry first;
  first.add("server", one);

  Server two;
  Registry second;
  second.add("server", two);
  const Result<void> loaded = second.load({.file = File{"printed", first.print_effective()}});
  if (!loaded) RC_FAIL(loaded.error().detail());
  RC_ASSERT(two.listen == one.listen);
  RC_ASSERT(two.threads == one.threads);
  RC_ASSERT(two.ratio == one.ratio);
  RC_ASSERT(two.mode == one.mode);
  RC_ASSERT(two.ports == one.ports);
  RC_ASSERT(two.limits == one.limits);
}

RC_GTEST_PROP(Loading, NeverFallsOver, (const std::string& text, const std::string& value)) {
  Server server;
  Registry registry;
  registry.add("server", server);
  Sources sources;
  sources.file = File{"file", *rc::gen::element<std::string>("", "server.ports = [", "[server]\n") + text};
  for (const auto& setting : registry.settings()) {
    sources.environment.push_back(setting.variable + "=" + value);
    sources.flags.push_back({"flag", setting.key, value});
  }
  (void)registry.load(sources);
  registry.print_effective();
}

// ---- Descriptions that are wrong

struct Clash {
  int tls_certificate = 0;
  static consteval auto describe() {
    using namespace schema;
    return object<Clash>("", {field<&Clash::tls_certificate>()});
  }
};
struct FileClash {
  std::string key_file;
  static consteval auto describe() {
    using namespace schema;
    return object<FileClash>("", {field<&FileClash::key_file>()});
  }
};
struct Odd {
  Json any;
  static consteval auto describe() {
    using namespace schema;
    return object<Odd>("", {field<&Odd::any>()});
  }
};

TEST(RegistryDeathTest, RefusesWhatIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Tls tls;
  Clash clash;
  FileClash file_clash;
  Odd odd;
  Registry registry;
  registry.add("a.tls", tls);
  EXPECT_DEATH(registry.add("a", clash), "the same key or the same variable");
  EXPECT_DEATH(registry.add("a_tls", file_clash), "the same key or the same variable");
  EXPECT_DEATH(registry.add("odd", odd), "not of type Patch, Json or variant");
  EXPECT_DEATH(registry.add("a.tls", tls), "a section is added twice");
}

}  // namespace
}  // namespace bedplate::config
