// SPDX-License-Identifier: Apache-2.0
// Where names become addresses.
//
//   WorkerPool pool(2, 64, "resolver");
//   SystemResolver resolver(pool);
//   std::vector<SocketAddress> found = co_await ok(resolver.resolve("example.com", 443));
//
// A port: tests answer from a list of their own, and a client (client.h) asks no other. Errors: Category::unavailable
// `resolve_failed`, and those of the pool.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bedplate/async/address.h"
#include "bedplate/async/async.h"
#include "bedplate/async/worker_pool.h"

namespace bedplate::outbound {

class Resolver {
 public:
  virtual ~Resolver() = default;
  /// All addresses of `host`, at least one, with `port`, in the order in which to try them. On any loop.
  virtual Async<std::vector<SocketAddress>> resolve(std::string host, std::uint16_t port) = 0;
};

/// getaddrinfo(3) on a worker: /etc/hosts, DNS, whatever the system is set up for. A look-up that has begun runs to its
/// end on its worker (the system's own time-outs bound it); a client stops waiting for it at its deadline.
class SystemResolver final : public Resolver {
 public:
  /// `pool` outlives it, and is stopped before the loops. Make it one that does nothing else: a name server that does
  /// not answer holds a thread for seconds.
  explicit SystemResolver(WorkerPool& pool) : pool_(pool) {}
  Async<std::vector<SocketAddress>> resolve(std::string host, std::uint16_t port) override;

 private:
  WorkerPool& pool_;
};

}  // namespace bedplate::outbound
