// SPDX-License-Identifier: Apache-2.0
// The addresses that a client has looked up: one look-up at a time for each host, its answer kept for a while. For the
// sources of this folder only.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "bedplate/async/loop.h"
#include "bedplate/outbound/resolver.h"

namespace bedplate::outbound::detail {

class Names {
 public:
  /// `kept` zero: only those who ask at the same time share an answer.
  Names(Loop& loop, Resolver& resolver, std::chrono::seconds kept)
      : loop_(loop), resolver_(resolver), kept_(kept) {}
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;
  /// Cancels the look-ups that run.
  ~Names();

  /// Cancelled, it ends at once, and the look-up goes on without it.
  Async<std::vector<SocketAddress>> find(std::string host, std::uint16_t port);

 private:
  struct Lookup;
  class Wait;
  static Async<void> run(Resolver& resolver, std::string host, std::uint16_t port,
                         std::shared_ptr<Lookup> lookup);
  void make_room();

  static constexpr std::size_t kNamesMax = 256;

  Loop& loop_;
  Resolver& resolver_;
  const std::chrono::seconds kept_;
  std::unordered_map<std::string, std::shared_ptr<Lookup>> lookups_;
};

}  // namespace bedplate::outbound::detail
