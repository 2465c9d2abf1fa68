// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/command_caller.h"

#include <pwd.h>
#include <unistd.h>

#include <array>

#include "bedplate/base/id.h"

namespace bedplate::app {
namespace {

std::string user_at_host() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  std::string name = std::to_string(::geteuid());
  if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found)
    name = found->pw_name;
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) return name;
  return name + "@" + host.data();
}

}  // namespace

CommandCaller::CommandCaller(std::optional<auth::UserId> act)
    : principal_(auth::system_principal(act)), address_(user_at_host()), id_(new_uuid().to_string()) {
  caller_.principal = &principal_;
  caller_.address = address_;
  caller_.request_id = id_;
}

}  // namespace bedplate::app
