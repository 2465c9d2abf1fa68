// SPDX-License-Identifier: Apache-2.0
// `test_servers up` and `test_servers down`, run by ctest: see shared_servers.h.
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "tests/servers/postgresql_server.h"
#include "tests/servers/redis_server.h"
#include "tests/servers/shared_servers.h"

namespace bedplate::testing {
namespace {

int open_process(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

/// Until one of them ends, or somebody asks for the end.
void wait_for_end(int ctest) {
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGTERM);
  pollfd events[] = {{ctest, POLLIN, 0}, {::signalfd(-1, &ends, SFD_CLOEXEC), POLLIN, 0}};
  while (::poll(events, 2, -1) < 0) {
  }
}

/// The process that stays. Writes to `ready` when the servers can be used.
int keep(pid_t ctest, int ready) {
  const int ctest_process = open_process(ctest);
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &ends, nullptr);
  const std::string file = shared_servers_file(ctest);
  {
    // Many test processes with their connections, and nothing that outlives the run.
    PostgresServer postgres({.max_connections = 400});
    RedisServer redis;
    write_shared_servers(file, {.supervisor = ::getpid(),
                                .postgres_port = postgres.address().port(),
                                .postgres_password = postgres.address().password(),
                                .redis_port = redis.address().port(),
                                .redis_password = redis.address().password()});
    if (::write(ready, "1", 1) != 1) return 1;
    ::close(ready);
    wait_for_end(ctest_process);
    std::filesystem::remove(file);
  }
  return 0;
}

int up() {
  int ready[2];
  if (::pipe2(ready, O_CLOEXEC) != 0) return 1;
  const pid_t ctest = ::getppid();
  if (::fork() == 0) {
    // A session of its own, so that Ctrl-C at the terminal reaches ctest and not the servers; and nothing of ctest's
    // pipes is held, which would make it wait.
    ::setsid();
    const int log = ::open((std::string(TEST_SERVERS_CACHE) + "/supervisor.log").c_str(),
                           O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(null, 0);
    ::dup2(log < 0 ? null : log, 1);
    ::dup2(log < 0 ? null : log, 2);
    ::close(ready[0]);
    ::_exit(keep(ctest, ready[1]));
  }
  ::close(ready[1]);
  char byte;
  if (::read(ready[0], &byte, 1) == 1) return 0;
  server_failed("the shared servers do not start", std::string(TEST_SERVERS_CACHE) + "/supervisor.log");
}

int down() {
  const std::optional<SharedServers> servers = find_shared_servers();
  if (!servers) return 0;
  pollfd supervisor{open_process(servers->supervisor), POLLIN, 0};
  if (supervisor.fd < 0) return 0;
  ::kill(servers->supervisor, SIGTERM);
  return ::poll(&supervisor, 1, 60'000) == 1 ? 0 : 1;
}

}  // namespace
}  // namespace bedplate::testing

int main(int count, char** arguments) {
  const std::string_view command = count == 2 ? arguments[1] : "";
  if (command == "up") return bedplate::testing::up();
  if (command == "down") return bedplate::testing::down();
  std::fputs("usage: test_servers up|down, run by ctest\n", stderr);
  return 2;
}
