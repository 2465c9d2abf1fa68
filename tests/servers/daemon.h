// SPDX-License-Identifier: Apache-2.0
// A real server of somebody else (PostgreSQL, Redis) as a child of the test: what the kits of this folder share.
//
//   ServerDirectory directory("postgresql");
//   Daemon daemon;
//   daemon.start({.arguments = {postgres, "-D", directory / "data"}, .log = directory / "log"});
//   daemon.signal(SIGTERM);
//   daemon.wait();
//
// - As root the server runs as an unprivileged user (PostgreSQL refuses root): see server_user().
// - A server never outlives the test. When the thread that started it ends, even by SIGKILL, the kernel sends it
//   `death_signal`: start servers on the test's main thread.
// - A fork of the test (a death test) does not take the servers down with it.
// - What cannot go on aborts, with the end of the server's log: a test without its server has nothing to say.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/kits/patience_kit.h"

namespace bedplate::testing {

/// Who the servers run as: ourselves, or as root the user postgres, or else nobody.
struct ServerUser {
  uid_t user;
  gid_t group;
  bool must_switch;  ///< We are root.
};
const ServerUser& server_user();

/// A directory that goes with the object, owned by server_user(), mode 0700. Those that killed tests have left behind
/// are removed on the way.
class ServerDirectory {
 public:
  enum class Medium {
    memory,  ///< /dev/shm, if there is room in it: nothing waits for a disk. Else as disk.
    disk,    ///< $TMPDIR or /tmp.
  };

  explicit ServerDirectory(std::string_view name, Medium medium = Medium::memory);
  ServerDirectory(const ServerDirectory&) = delete;
  ServerDirectory& operator=(const ServerDirectory&) = delete;
  ~ServerDirectory();

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
  int lock_ = -1;
  pid_t owner_;
};

/// Writes a file for a server to read, mode 0600, owned by server_user().
void write_server_file(const std::string& path, std::string_view text);
std::string read_file(const std::string& path);
/// Gives the directory and everything in it to server_user().
void give_to_server_user(const std::string& directory);

/// A TCP port of 127.0.0.1 for a server, which nobody else is given while the object lives: not another test while the
/// server is stopped either, to be started again. Outside the range from which the kernel takes ports for outgoing
/// connections: there a client that tries to reach a stopped server can end up connected to itself.
///
/// It is held by a socket that is bound and does not listen. Servers set SO_REUSEADDR, as this one does, and may
/// therefore listen there; whoever looks for a free port does not, and finds it taken. Clients are refused meanwhile.
class ServerPort {
 public:
  ServerPort();
  ServerPort(const ServerPort&) = delete;
  ServerPort& operator=(const ServerPort&) = delete;
  ~ServerPort();

  std::uint16_t number() const { return number_; }

 private:
  int held_ = -1;
  std::uint16_t number_ = 0;
};

class Daemon {
 public:
  struct Command {
    std::vector<std::string> arguments;
    std::string log;  ///< What it writes to standard output and error is appended here.
    int death_signal = SIGKILL;
  };

  Daemon() = default;
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  /// SIGKILL, if it still runs.
  ~Daemon();

  void start(const Command& command);
  /// Runs a program of the server's to its end, as server_user(). Aborts when it fails.
  static void run(const Command& command);

  bool is_running();
  pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// SIGSTOP to it and to its child processes; returns when none of them runs any more. And SIGCONT.
  void pause() const;
  void resume() const;
  /// Until it has ended; its wait status. Aborts after kPatience.
  int wait();
  /// SIGKILL to the server and to all its child processes at once, as a power cut would have it; returns when all are
  /// gone.
  void kill_all();

 private:
  std::vector<pid_t> children() const;

  pid_t pid_ = -1;
  pid_t owner_ = -1;
  std::string log_;
};

/// Called before a server is started or one that is shared is used. Aborts in a test that ctest has labelled `unit`:
/// such tests need nothing beside them. Its suite belongs into SERVER_TESTS of its bedplate_room() or bedplate_test().
void check_servers_allowed();

/// Prints the reason and the end of the log, and aborts.
[[noreturn]] void server_failed(const std::string& reason, const std::string& log = {});

}  // namespace bedplate::testing
