// SPDX-License-Identifier: Apache-2.0
// A program under test, as a process of its own: started, read line by line, signalled, waited for.
//
//   Process server({binary, "serve", "--listen", "127.0.0.1:0", "--data", dir.path()});
//   std::string line = server.read_line();      // blocks until there is one
//   server.kill(SIGKILL);
//   Exit exit = server.wait();
//
// Every wait has a limit, after which the test aborts with what the program had said: a hang is a failure that
// explains itself.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace bedplate::testing {

struct Exit {
  int status = 0;  ///< exit status, when signal is 0
  int signal = 0;  ///< the signal that ended it
};

/// What a program that ran to its end said.
struct Output {
  Exit exit;
  std::string out;
  std::string err;
};

class Process {
 public:
  using Environment = std::vector<std::pair<std::string, std::string>>;
  static constexpr std::chrono::seconds kPatience{60};

  /// Starts it. `environment` is added to this process's, whose BEDPLATE_* variables are left out: what a developer has
  /// set would change what is tested. Standard input is empty.
  explicit Process(std::vector<std::string> arguments, const Environment& environment = {});
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  /// Kills it if it still runs.
  ~Process();

  pid_t pid() const { return pid_; }
  /// The next line of its standard output, without the newline; empty at the end of the output.
  std::string read_line();
  void kill(int signal) const;
  /// Until it ends; reads the rest of its output meanwhile.
  Exit wait();

  /// Everything read so far and not yet given out by read_line().
  const std::string& out() const { return out_; }
  /// What it has written to standard error until now. That goes to a file in memory, so a program that nobody listens
  /// to never waits for room in a pipe.
  std::string err() const;

  /// Runs a program to its end.
  static Output run(std::vector<std::string> arguments, const Environment& environment = {});

 private:
  /// Reads what is there, waiting for at most the patience left. False: the output has ended.
  bool read_some(std::chrono::steady_clock::time_point deadline);
  [[noreturn]] void give_up(const char* why) const;

  std::string name_;
  pid_t pid_ = -1;
  int out_fd_ = -1;
  int err_fd_ = -1;
  std::string out_;
};

}  // namespace bedplate::testing
