// SPDX-License-Identifier: Apache-2.0
// Command: one command for Redis, written as it goes over the wire.
//
//   Command set("SET", key, value, "PX", 60'000);
//   Result<Reply> reply = co_await client.call(std::move(set));
//
// Arguments are bytes of any kind, or whole numbers. In a Cluster the first argument after the name decides which node
// gets the command; for commands where that is not the key (EVAL), say with_key().
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace bedplate::redis {

class Command {
 public:
  template <class... Args>
  explicit Command(std::string_view name, const Args&... args) {
    begin(1 + sizeof...(args));
    append(name);
    (add(args), ...);
  }
  /// For a number of arguments that is known only at run time.
  explicit Command(std::span<const std::string_view> words);

  /// The key that decides which node of a Cluster gets it.
  Command&& with_key(std::string_view key) &&;

  std::string_view wire() const { return wire_; }
  /// The slot of its key (crc16 of it, or of what stands in its first {braces}), 0 to 16383; -1: it has no key. PUBLISH
  /// has none: every node of a Cluster passes a message on to all.
  int slot() const;

 private:
  void begin(std::size_t words);
  void append(std::string_view word);
  void add(std::string_view word) { append(word); }
  template <std::integral Int>
  void add(Int number) {
    append(std::to_string(number));
  }

  std::string wire_;
  std::string own_key_;  ///< of with_key()
  std::size_t words_ = 0;
  std::size_t key_at_ = 0;
  std::size_t key_size_ = 0;
  bool publishes_ = false;
};

/// The Cluster slot of a key.
int slot_of(std::string_view key);

}  // namespace bedplate::redis
