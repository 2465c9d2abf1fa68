// SPDX-License-Identifier: Apache-2.0
// Listening sockets.
//
//   Result<ListenSockets> sockets = listen_on(*SocketAddress::parse("127.0.0.1:0"), loops.size(), {});
//   // on each loop's thread:
//   Listener listener(loop, sockets->take(), handler, options);   // handler.on_connection(Stream)
//   // and in the end
//   listener.drain();                                              // accepts what waits, then closes
//
// TCP: a socket a loop on one port (SO_REUSEPORT), the kernel spreads connections. The first one is bound
// without that flag, so that another server on the port is an error and not a partner. Unix: one socket that
// the loops share.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "bedplate/async/address.h"
#include "bedplate/async/stream.h"
#include "bedplate/async/timer.h"
#include "bedplate/base/result.h"

namespace bedplate {

struct ListenOptions {
  int backlog = 1024;                   ///< connections that wait to be accepted, a socket
  std::size_t connections_max = 16384;  ///< open at a time, a listener (a loop); more wait in the backlog
  unsigned unix_mode = 0660;            ///< permissions of a Unix socket's file
};

/// Bound descriptors on one address; those not taken are closed.
class ListenSockets {
 public:
  ListenSockets() = default;
  ListenSockets(ListenSockets&& other) noexcept;
  ListenSockets& operator=(ListenSockets&&) = delete;
  /// Closes what was not taken; removes the file of a Unix socket.
  ~ListenSockets();

  /// Has the kernel complete connections from here on, those of TCP; those of a Unix socket it completes already.
  /// Category::unavailable as from bind_on().
  Result<void> listen();
  /// One descriptor, for one Listener. -1 when all were taken.
  int take();
  /// With the port that was chosen, where port 0 was asked for.
  const SocketAddress& address() const { return address_; }

 private:
  friend Result<ListenSockets> bind_on(const SocketAddress&, std::size_t, const ListenOptions&);

  SocketAddress address_;
  int backlog_ = 0;
  std::vector<int> fds_;
  std::string owned_path_;  ///< the file we made
  unsigned long owned_inode_ = 0;
};

/// Takes `address` with `count` sockets that share it, so that what is wrong with it is known before anything else is
/// done. Connections are refused until listen(); those to a Unix socket wait, because a socket on which nobody listens
/// is one that a killed server left. Category::unavailable: `address_in_use` (says what to do), `not_a_socket` (another
/// kind of file has the path), `address_not_available`, `permission_denied`, `listen_failed`. The file of a Unix socket
/// is replaced only when it is a socket on which nobody listens; of several that replace it at once, one succeeds.
Result<ListenSockets> bind_on(const SocketAddress& address, std::size_t count, const ListenOptions& options);
/// bind_on() and listen().
Result<ListenSockets> listen_on(const SocketAddress& address, std::size_t count,
                                const ListenOptions& options);

/// Takes accepted connections. Called on the listener's loop.
class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;
  virtual void on_connection(Stream stream) = 0;
};

/// Accepts on one loop. Destroyed on its loop's thread, where all its functions are called.
///
/// It stops accepting while `connections_max` of its connections are open, and for 100 ms at a time while the
/// process or the system is out of descriptors or memory (logged once until it has recovered). Connections
/// then wait in the backlog.
class Listener {
 public:
  /// Takes `fd` over.
  Listener(Loop& loop, int fd, ConnectionHandler& handler, const ListenOptions& options);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  /// Accepts every connection that is complete and waits, whatever the cap, then closes: a client that the
  /// kernel has let in is not turned away. Idempotent.
  void drain();
  /// Closes at once; those who wait in the backlog are reset.
  void close();
  bool is_open() const;

  /// Connections accepted here that are open now.
  std::size_t connections() const;
  /// Out of descriptors at the moment.
  bool starved() const;

 private:
  class Acceptor;
  std::unique_ptr<Acceptor> acceptor_;
};

}  // namespace bedplate
