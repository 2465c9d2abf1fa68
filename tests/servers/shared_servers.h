// SPDX-License-Identifier: Apache-2.0
// The servers that all tests of one ctest run share. How they get there: ctest runs `test_servers up` before the first
// test that needs them (a fixture, see tests/servers/CMakeLists.txt); that leaves a supervisor process behind, which
// owns the servers and ends with the ctest that started it, or at `test_servers down`.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace bedplate::testing {

struct SharedServers {
  pid_t supervisor = 0;
  std::uint16_t postgres_port = 0;
  std::string postgres_password;
  std::uint16_t redis_port = 0;
  std::string redis_password;
};

/// Those of the ctest that started this process, if there are any.
std::optional<SharedServers> find_shared_servers();

/// The file in which the supervisor of the ctest run with this process id says where the servers are.
std::string shared_servers_file(pid_t ctest);
void write_shared_servers(const std::string& file, const SharedServers& servers);

}  // namespace bedplate::testing
