// SPDX-License-Identifier: Apache-2.0
// What surrounds the process: its descriptors, limits, and output that cannot be written.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "server.h"

namespace bedplate::e2e {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// The binary's call behind a shell's redirections: {"/bin/sh", "-c", "exec ...", binary, arguments...}.
std::vector<std::string> redirected(const std::string& redirections, std::vector<std::string> arguments) {
  std::vector<std::string> call = {"/bin/sh", "-c", R"(exec "$0" "$@" )" + redirections, binary()};
  call.insert(call.end(), arguments.begin(), arguments.end());
  return call;
}

std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// ---- Standard descriptors

/// A server on a Unix socket, for it may have no standard output to say where it listens.
class Redirected {
 public:
  explicit Redirected(const std::string& redirections)
      : process_(redirected(redirections, {"serve", "--data", data(), "--listen", "unix:" + socket()})) {}
  bool answers() {
    return wait_until([this] { return HttpConnection::can_connect(url()); }) &&
           HttpConnection(url()).get("/livez").status == 200;
  }
  std::string data() const { return directory_ / "data"; }
  std::string socket() const { return directory_ / "socket"; }
  std::string url() const { return "http+unix://" + socket(); }
  Process& process() { return process_; }

 private:
  TempDir directory_;
  Process process_;
};

class ClosedDescriptors : public ::testing::TestWithParam<std::string> {};

TEST_P(ClosedDescriptors, AreOpenedBeforeAnythingElseIs) {
  Redirected server(GetParam());
  ASSERT_TRUE(server.answers()) << server.process().err();
  const std::string pid = std::to_string(server.process().pid());
  for (const auto& [fd, closed] : {std::pair("0", "<&-"), {"1", " >&-"}, {"2", "2>&-"}}) {
    const std::string leads_to = std::filesystem::read_symlink("/proc/" + pid + "/fd/" + fd);
    if (GetParam().find(closed) != std::string::npos) EXPECT_EQ(leads_to, "/dev/null") << fd;
  }
  EXPECT_EQ(contents(server.data() + "/lock"), pid + "\n");
  const Output second = run({"serve", "--data", server.data(), "--listen", "127.0.0.1:0"});
  EXPECT_THAT(second.err, HasSubstr("(pid " + pid + ")"));
  server.process().kill(SIGTERM);
  EXPECT_EQ(server.process().wait().status, 0);
  EXPECT_EQ(contents(server.data() + "/lock"), pid + "\n") << "nothing was logged into it";
}

INSTANTIATE_TEST_SUITE_P(Each, ClosedDescriptors, ::testing::Values("<&-", " >&-", "2>&-", "<&- >&- 2>&-"));

// ---- Output that cannot be written

TEST(WrittenOutput, ThatCannotBeWrittenFailsTheCommand) {
  TempDir directory;
  run_well({"migrate", "up", "--data", directory.path()});
  const std::vector<std::string> data = {"--data", directory.path()};
  for (std::vector<std::string> command :
       std::vector<std::vector<std::string>>{{"--version"},
                                             {"--help"},
                                             {"help", "serve"},
                                             {"openapi"},
                                             {"config"},
                                             {"config", "reference"},
                                             {"migrate", "status"},
                                             {"migrate", "up"},
                                             {"backup", directory / "backup"}}) {
    const std::string name = command[0];
    if (name != "--version" && name != "--help" && name != "help")
      command.insert(command.end(), data.begin(), data.end());
    const Output output = Process::run(redirected(">/dev/full", command));
    EXPECT_EQ(output.exit.status, 1) << name;
    EXPECT_EQ(output.err, "bedplate: The output could not be written: No space left on device.\n") << name;
  }
  const Output closed = Process::run(redirected(">&-", {"--version"}));
  EXPECT_EQ(closed.exit.status, 1);
  EXPECT_EQ(closed.err, "bedplate: The output could not be written: Bad file descriptor.\n");
}

// Longer than what stdio buffers, and its last byte is a newline: nothing is left whose writing could fail once more.
TEST(WrittenOutput, OfALongAnswerSaysTheReasonToo) {
  TempDir directory;
  Server server(directory.path());
  const Output output = Process::run(redirected(">/dev/full", {"metrics", "--data", directory.path()}));
  EXPECT_EQ(output.exit.status, 1);
  EXPECT_EQ(output.err, "bedplate: The output could not be written: No space left on device.\n");
  EXPECT_EQ(server.terminate().status, 0);
}

TEST(WrittenOutput, OfACommandThatFailsForAnotherReasonKeepsItsStatus) {
  const Output output = Process::run(redirected(">/dev/full", {"srve"}));
  EXPECT_EQ(output.exit.status, 2);
}

TEST(WrittenOutput, AReadyLineThatCannotBeWrittenStopsNoServer) {
  Redirected server(">/dev/full");
  ASSERT_TRUE(server.answers()) << server.process().err();
  EXPECT_TRUE(wait_until([&] {
    return server.process().err().find("the ready line could not be written") != std::string::npos;
  })) << server.process().err();
  server.process().kill(SIGTERM);
  EXPECT_EQ(server.process().wait().status, 0) << server.process().err();
}

// ---- The limit of a file's size

void limit_file_size(const Process& process, rlim_t bytes) {
  rlimit limits{};
  ASSERT_EQ(::prlimit(process.pid(), RLIMIT_FSIZE, nullptr, &limits), 0);
  limits.rlim_cur = bytes;
  ASSERT_EQ(::prlimit(process.pid(), RLIMIT_FSIZE, &limits, nullptr), 0);
}

TEST(FileSizeLimit, MakesWritesFailAndLosesNothing) {
  TempDir directory;
  Tokens tokens;
  std::size_t stored = 0;
  {
    Server server(directory.path());
    User ada(server, "ada@example.com");
    limit_file_size(server.process(), 600'000);
    const std::string task = R"({"title":"Large","description":")" + std::string(9'000, 'x') + R"("})";
    HttpResponse made;
    for (; stored < 200; ++stored)
      if (made = ada.call("POST", "/v1/tasks", task); made.status != 201) break;
    EXPECT_EQ(made.status, 503) << made.body;
    EXPECT_THAT(Json::parse(made.body)["code"].text(), AnyOf("storage_error", "storage_full"));
    EXPECT_GT(stored, 0u);
    EXPECT_EQ(ada.all_tasks().size(), stored) << "it goes on reading";
    limit_file_size(server.process(), RLIM_INFINITY);
    EXPECT_EQ(ada.call("POST", "/v1/tasks", task).status, 201) << "and writes again when it can";
    tokens = ada.tokens();
    server.kill();
  }
  Server again(directory.path());
  User ada(again, "ada@example.com", tokens);
  EXPECT_EQ(ada.all_tasks().size(), stored + 1);
}

TEST(FileSizeLimit, FailsACommandWithASentence) {
  TempDir directory;
  run_well({"demo", "--data", directory.path()});
  const Output output = Process::run({"/bin/sh", "-c", R"(ulimit -f 20; exec "$0" "$@")", binary(), "backup",
                                      directory / "backup", "--data", directory.path()});
  EXPECT_EQ(output.exit.signal, 0);
  EXPECT_EQ(output.exit.status, 1);
  EXPECT_THAT(output.err, HasSubstr("bedplate: "));
  EXPECT_FALSE(std::filesystem::exists(directory / "backup")) << "a part of one is no backup";
}

// ---- The format of the log

/// The near end of a terminal, and the path of its far end.
class Terminal {
 public:
  Terminal() : fd_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    if (fd_ < 0 || ::grantpt(fd_) != 0 || ::unlockpt(fd_) != 0 || ::ptsname_r(fd_, path_, sizeof path_) != 0)
      std::abort();
    far_ = ::open(path_, O_RDWR | O_NOCTTY | O_CLOEXEC);  // what was written is kept while it is open
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    ::close(far_);
    ::close(fd_);
  }
  const char* path() const { return path_; }
  /// What has been written to it, once; the end is not waited for.
  std::string read() {
    std::string text(4096, '\0');
    const ssize_t size = ::read(fd_, text.data(), text.size());
    text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return text;
  }

 private:
  int fd_;
  int far_ = -1;
  char path_[64];
};

TEST(LogFormat, IsTextOnATerminalAndJsonElsewhere) {
  const Process::Environment slip = {{"BEDPLATE_SERVER_THREDS", "2"}};
  const auto log_of = [&](std::vector<std::string> settings, bool on_terminal) {
    std::vector<std::string> arguments = {"config"};
    for (std::string& setting : settings) arguments.insert(arguments.end(), {"--set", std::move(setting)});
    Terminal terminal;
    auto output =
        Process::run(redirected(on_terminal ? "2>" + std::string(terminal.path()) : "", arguments), slip);
    EXPECT_EQ(output.exit.status, 0) << output.err;
    return on_terminal ? terminal.read() : output.err;
  };
  const std::string json = "{\"time\":\"", text = "Z WARN  BEDPLATE_SERVER_THREDS";
  EXPECT_THAT(log_of({}, true), HasSubstr(text));
  EXPECT_THAT(log_of({"log.format=json"}, true), StartsWith(json));
  EXPECT_THAT(log_of({}, false), StartsWith(json));
  EXPECT_THAT(log_of({"log.format=auto"}, false), StartsWith(json));
  EXPECT_THAT(log_of({"log.format=text"}, false), HasSubstr(text));
}

// ---- What a command says

TEST(CommandLog, SaysWarningsUnlessALevelIsSet) {
  TempDir directory;
  Server server(directory.path());
  User ada(server, "ada@example.com");
  const auto grant = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"admin", "grant", "ada@example.com", "--data", directory.path()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Output output = run(std::move(arguments));
    EXPECT_EQ(output.exit.status, 0) << output.err;
    return output.err;
  };
  EXPECT_EQ(grant({}), "");
  EXPECT_THAT(grant({"--set", "log.level=info"}), HasSubstr("\"level\":\"info\""));
}

}  // namespace
}  // namespace bedplate::e2e
