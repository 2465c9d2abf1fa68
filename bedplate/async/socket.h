// SPDX-License-Identifier: Apache-2.0
// What stands behind a Stream: for the sources of this folder only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "bedplate/async/address.h"
#include "bedplate/async/loop.h"
#include "bedplate/async/stream.h"
#include "bedplate/async/timer.h"

namespace bedplate::detail {

/// The open connections of one listener; outlives it while one is open.
struct ConnectionCount {
  std::size_t open = 0;
  void (*on_closed)(void* owner) = nullptr;
  void* owner = nullptr;  ///< null: the listener is gone
};

/// One connected descriptor, registered edge-triggered for as long as it lives. The flags say what is known:
/// `readable` and `writable` are true until a system call or a short count has shown otherwise, and again
/// after the next edge.
class Socket final : public Pollable, public CoarseTimer {
 public:
  Socket(Loop& loop, int fd, SocketAddress peer);
  ~Socket();

  /// False: epoll does not take it.
  bool join_loop();

  /// An operation that found the socket ready may go on, unless it has done so too often in this tick.
  bool may_go_on();
  /// A wait begins, or made progress: sets the time-out anew. False: the deadline has passed already.
  bool arm_timeout();
  void end_reader(Error error);
  void end_writer(Error error);
  bool want_writable();

  const int fd;
  bool readable = true;
  bool writable = true;
  bool hung_up = false;  ///< the other side ended its direction: reads never run dry, they end
  bool reports_writable = false;
  std::uint32_t turns = 0;  ///< operations done in tick `turns_tick` without waiting
  std::uint64_t turns_tick = 0;
  IoOp* reader = nullptr;
  IoOp* writer = nullptr;
  std::chrono::milliseconds idle_timeout{0};
  Loop::TimePoint deadline = Loop::TimePoint::max();
  Scope* gone_scope = nullptr;
  std::shared_ptr<ConnectionCount> count;
  const SocketAddress peer;

 private:
  static void handle_events(Pollable& pollable, std::uint32_t events);
  static void handle_timeout(CoarseTimer& timer);
};

Error connection_closed();

}  // namespace bedplate::detail
