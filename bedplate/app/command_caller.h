// SPDX-License-Identifier: Apache-2.0
// CommandCaller: who changes something from the command line: the principal `system`, with the operating system's user
// in the place of an address, so that the audit log says who it was.
//
//   const app::CommandCaller caller;
//   co_await ok(host.executor().call(tasks::kCreate, caller.caller(), input));
#pragma once

#include <string>

#include "bedplate/auth/caller.h"

namespace bedplate::app {

class CommandCaller {
 public:
  /// `act`: the user on whose behalf.
  explicit CommandCaller(std::optional<auth::UserId> act = {});
  CommandCaller(const CommandCaller&) = delete;
  CommandCaller& operator=(const CommandCaller&) = delete;

  /// Valid as long as this.
  const auth::Caller& caller() const { return caller_; }

 private:
  const auth::Principal principal_;
  const std::string address_;  ///< "root@db1"
  const std::string id_;
  auth::Caller caller_;
};

}  // namespace bedplate::app
