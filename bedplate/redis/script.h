// SPDX-License-Identifier: Apache-2.0
// Script: a Lua script that Redis runs as one step, sent once and then called by its hash.
//
//   static const Script kRelease("if redis.call('get', KEYS[1]) == ARGV[1] then ... end");
//   Reply reply = co_await ok(client.eval(kRelease, key, arguments));
#pragma once

#include <string>
#include <string_view>

namespace bedplate::redis {

/// Immutable; any thread.
class Script {
 public:
  explicit Script(std::string_view source);

  const std::string& source() const { return source_; }
  /// SHA-1, in hex: what EVALSHA takes.
  const std::string& hash() const { return hash_; }

 private:
  std::string source_;
  std::string hash_;
};

}  // namespace bedplate::redis
