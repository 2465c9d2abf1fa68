// SPDX-License-Identifier: Apache-2.0
#include "bedplate/testing/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

extern char** environ;

namespace bedplate::testing {
namespace {

struct Pipe {
  int read_end = -1;
  int write_end = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      std::perror("bedplate test: pipe");
      std::abort();
    }
    read_end = ends[0];
    write_end = ends[1];
  }
};

std::vector<std::string> merged_environment(const Process::Environment& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry; ++entry)
    if (!std::string_view(*entry).starts_with("BEDPLATE_")) all.emplace_back(*entry);
  for (const auto& [key, value] : added) all.push_back(key + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// Appends what can be read now; closes the descriptor at its end.
void drain(int& fd, std::string& into) {
  char buffer[16384];
  ssize_t got = ::read(fd, buffer, sizeof buffer);
  if (got > 0) {
    into.append(buffer, static_cast<std::size_t>(got));
  } else if (got == 0 || errno != EINTR) {
    ::close(fd);
    fd = -1;
  }
}

}  // namespace

Process::Process(std::vector<std::string> arguments, const Environment& environment)
    : name_(arguments.at(0)) {
  Pipe out;
  err_fd_ = ::memfd_create("stderr", MFD_CLOEXEC);
  if (err_fd_ < 0) give_up(std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write_end, 1);
  posix_spawn_file_actions_adddup2(&actions, err_fd_, 2);
  std::vector<std::string> variables = merged_environment(environment);
  std::vector<char*> argv = pointers(arguments);
  std::vector<char*> envp = pointers(variables);
  int failure = ::posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(out.write_end);
  out_fd_ = out.read_end;
  if (failure != 0) give_up(std::strerror(failure));
}

Process::~Process() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (out_fd_ >= 0) ::close(out_fd_);
  if (err_fd_ >= 0) ::close(err_fd_);
}

bool Process::read_some(std::chrono::steady_clock::time_point deadline) {
  if (out_fd_ < 0) return false;
  auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  if (left.count() <= 0) give_up("nothing more came in time");
  pollfd readable{out_fd_, POLLIN, 0};
  if (::poll(&readable, 1, static_cast<int>(left.count())) < 0 && errno != EINTR) give_up("poll failed");
  if (readable.revents) drain(out_fd_, out_);
  return true;
}

std::string Process::err() const {
  std::string text;
  char buffer[16384];
  for (ssize_t got; (got = ::pread(err_fd_, buffer, sizeof buffer, static_cast<off_t>(text.size()))) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

std::string Process::read_line() {
  auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    std::size_t end = out_.find('\n');
    if (end != std::string::npos) {
      std::string line = out_.substr(0, end);
      out_.erase(0, end + 1);
      return line;
    }
    if (out_fd_ < 0) return std::exchange(out_, {});
    read_some(deadline);
  }
}

void Process::kill(int signal) const {
  if (pid_ > 0) ::kill(pid_, signal);
}

Exit Process::wait() {
  auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (read_some(deadline)) {
  }
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (WIFSIGNALED(status)) return {.status = 0, .signal = WTERMSIG(status)};
  return {.status = WEXITSTATUS(status), .signal = 0};
}

Output Process::run(std::vector<std::string> arguments, const Environment& environment) {
  Process process(std::move(arguments), environment);
  Output output;
  output.exit = process.wait();
  output.out = process.out();
  output.err = process.err();
  return output;
}

void Process::give_up(const char* why) const {
  std::fprintf(stderr, "bedplate test: %s (pid %d): %s\n--- its output\n%s\n--- its errors\n%s\n",
               name_.c_str(), static_cast<int>(pid_), why, out_.c_str(), err().c_str());
  if (pid_ > 0) ::kill(pid_, SIGKILL);
  std::abort();
}

}  // namespace bedplate::testing
