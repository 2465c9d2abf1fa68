// SPDX-License-Identifier: Apache-2.0
#include "tests/servers/shared_servers.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/servers/daemon.h"

namespace bedplate::testing {

std::string shared_servers_file(pid_t ctest) {
  return std::string(TEST_SERVERS_CACHE) + "/run-" + std::to_string(ctest);
}

std::optional<SharedServers> find_shared_servers() {
  std::ifstream file(shared_servers_file(::getppid()));
  SharedServers servers;
  if (file >> servers.supervisor >> servers.postgres_port >> servers.postgres_password >>
      servers.redis_port >> servers.redis_password)
    return servers;
  return std::nullopt;
}

void write_shared_servers(const std::string& file, const SharedServers& servers) {
  std::ostringstream text;
  text << servers.supervisor << ' ' << servers.postgres_port << ' ' << servers.postgres_password << ' '
       << servers.redis_port << ' ' << servers.redis_password << '\n';
  write_server_file(file + ".new", text.str());
  std::filesystem::rename(file + ".new", file);
}

}  // namespace bedplate::testing
