// SPDX-License-Identifier: Apache-2.0
// Stream: a connected socket (TCP over IPv4 and IPv6, Unix) of one loop.
//
//   Async<void> echo(Stream stream) {
//     stream.set_idle_timeout(60s);
//     std::array<char, 4096> buffer;
//     for (;;) {
//       std::size_t size = co_await ok(stream.read(buffer));
//       if (size == 0) co_return;                                  // the other side ended its direction
//       co_await ok(stream.write_all(std::string_view(buffer.data(), size)));
//     }
//   }
//
// How operations end, other than well:
//   Category::request_timeout  connection_timeout  the idle time-out or the deadline passed while waiting
//   Category::cancelled        connection_closed   reset, written to after the other side closed, or close()d
//   the scope's error                              the scope was cancelled (timeout or cancelled)
// After a failed write_all() it is unknown how much was sent: close the stream.
//
// One read and one write may wait at a time. Buffers stay untouched until the operation ends. An operation
// that finds the socket ready does not wait; one that has done so many times in a tick lets others run first.
//
// On its loop's thread only. Destroying it closes it, without lingering: what was written is still sent by
// the kernel unless unread input is pending, in which case the other side sees a reset (see close_gently()).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "bedplate/async/address.h"
#include "bedplate/async/async.h"
#include "bedplate/base/result.h"

struct iovec;

namespace bedplate {

class Loop;
class Stream;

namespace detail {

class Socket;

/// A read or a write: tried at once, and again whenever the socket turns ready.
struct IoOp : Op {
  using Attempt = bool (*)(IoOp&);  ///< true: done, or failed with `error` set; false: not ready

  IoOp(Socket* in, Attempt try_it) : socket(in), attempt(try_it) {}

  Socket* socket;  ///< null: closed
  Attempt attempt;
  std::size_t done = 0;   ///< bytes
  bool finished = false;  ///< nothing to wait for but a turn of the loop
};

/// True: over, go on. False: suspend, then wait_to_*.
bool start_read(IoOp& op);
bool start_write(IoOp& op);
void wait_to_read(IoOp& op);
void wait_to_write(IoOp& op);

bool attempt_read(IoOp& op);
bool attempt_wait(IoOp& op);
bool attempt_write(IoOp& op);
bool attempt_gather(IoOp& op);

struct SocketCloser {
  void operator()(Socket* socket) const;
};

}  // namespace detail

/// What Stream::read() gives: await it.
class [[nodiscard]] ReadOp : public detail::IoOp {
 public:
  using Value = std::size_t;

  ReadOp(detail::Socket* in, std::span<char> into) : IoOp(in, &detail::attempt_read), buffer(into) {}
  bool await_ready() { return detail::start_read(*this); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    if (!wait(h)) return false;
    detail::wait_to_read(*this);
    return true;
  }
  [[nodiscard]] Result<std::size_t> await_resume() {
    if (error) return std::unexpected(std::move(*error));
    return done;
  }

  std::span<char> buffer;
};

/// What Stream::readable() gives: await it.
class [[nodiscard]] ReadableOp : public detail::IoOp {
 public:
  using Value = void;

  explicit ReadableOp(detail::Socket* in) : IoOp(in, &detail::attempt_wait) {}
  bool await_ready() { return detail::start_read(*this); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    if (!wait(h)) return false;
    detail::wait_to_read(*this);
    return true;
  }
  [[nodiscard]] Result<void> await_resume() {
    if (error) return std::unexpected(std::move(*error));
    return {};
  }
};

/// What Stream::write_all() gives: await it.
class [[nodiscard]] WriteOp : public detail::IoOp {
 public:
  using Value = void;

  WriteOp(detail::Socket* to, std::string_view bytes) : IoOp(to, &detail::attempt_write), data(bytes) {}
  WriteOp(detail::Socket* to, std::span<const std::string_view> several)
      : IoOp(to, &detail::attempt_gather), parts(several) {}
  bool await_ready() { return detail::start_write(*this); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    if (!wait(h)) return false;
    detail::wait_to_write(*this);
    return true;
  }
  [[nodiscard]] Result<void> await_resume() {
    if (error) return std::unexpected(std::move(*error));
    return {};
  }

  std::string_view data;
  std::span<const std::string_view> parts;  ///< those not wholly written; `done` counts into the first
};

/// Who runs the process at the other end of a Unix socket, as the kernel knows it.
struct PeerCredentials {
  int process_id;
  unsigned user_id;
  unsigned group_id;
};

class Stream {
 public:
  /// A closed one.
  Stream() = default;
  Stream(Stream&&) noexcept = default;
  Stream& operator=(Stream&&) noexcept = default;

  /// Takes a connected, non-blocking descriptor over. On the loop's thread.
  static Result<Stream> adopt(Loop& loop, int fd, SocketAddress peer);

  /// Reads what there is, at least one byte; 0 at the end of the other side's direction (or for an empty
  /// buffer).
  ReadOp read(std::span<char> buffer) { return {socket_.get(), buffer}; }
  /// Waits until read() would not wait: a connection that idles need not hold a buffer.
  ReadableOp readable() { return ReadableOp(socket_.get()); }
  /// Writes everything.
  WriteOp write_all(std::string_view data) { return {socket_.get(), data}; }
  /// Writes all of several pieces, in one system call where the kernel takes them. The span stays as it is.
  WriteOp write_all(std::span<const std::string_view> parts) { return {socket_.get(), parts}; }

  /// Ends a read or write that waits this long without any progress. Coarse: up to 200 ms late. Zero: never
  /// (the default). Holds from the next wait on.
  void set_idle_timeout(std::chrono::milliseconds timeout);
  /// Ends a read or write that still waits this far from now, progress or not (a request's head, a slow
  /// body). Holds until cleared; coarse as above.
  void set_deadline(std::chrono::milliseconds from_now);
  void clear_deadline();

  /// Cancels `scope` (Category::cancelled) when the connection turns out to be gone (reset, or closed both
  /// ways) while nobody reads or writes it. Null: no longer. A half-closed connection is not gone: its client
  /// may be waiting.
  void cancel_when_gone(Scope* scope);
  /// The other side has ended its direction, or reset the connection. False does not promise the contrary.
  bool peer_has_closed() const;

  /// Ends our direction; reading goes on.
  void shutdown_write();
  /// Closes at once; an operation that waits ends with connection_closed. Idempotent.
  void close();
  /// Ends our direction, then reads and drops what still comes, up to a time and a size, so that an answer
  /// given before the request was read to its end reaches the client instead of a reset (RFC 9112 section
  /// 9.6). Then closes.
  Async<void> close_gently(std::chrono::milliseconds within = std::chrono::seconds(2),
                           std::size_t size_bytes_max = 1 << 20);

  bool is_open() const { return socket_ != nullptr; }
  const SocketAddress& peer() const;
  /// The local end. By a system call.
  SocketAddress local() const;
  /// Unix sockets only.
  std::optional<PeerCredentials> peer_credentials() const;
  /// The loop it belongs to; it must be open.
  Loop& loop() const;
  /// For setsockopt and the like; -1 when closed. Do not read, write or close it.
  int fd() const;

 private:
  friend class Listener;
  explicit Stream(detail::Socket* socket) : socket_(socket) {}

  std::unique_ptr<detail::Socket, detail::SocketCloser> socket_;
};

struct ConnectOptions {
  std::chrono::milliseconds timeout = std::chrono::seconds(10);  ///< zero: the system's

  ConnectOptions() = default;
  explicit ConnectOptions(std::chrono::milliseconds within) : timeout(within) {}
};

/// Connects from the current loop. Category::unavailable `connect_failed`, Category::timeout
/// `connect_timeout`, or the scope's error.
Async<Stream> connect(SocketAddress address, ConnectOptions options = {});

}  // namespace bedplate
