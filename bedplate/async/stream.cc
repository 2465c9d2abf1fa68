// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "bedplate/async/socket.h"

namespace bedplate {
namespace detail {
namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t kTurnsMax = 32;  // operations of one socket in one tick before others have their turn
constexpr std::size_t kPiecesMax = 64;   // of a gathered write, a system call
constexpr std::uint32_t kReadEvents = EPOLLIN | EPOLLRDHUP | EPOLLET;

Error connection_timeout() {
  return Error(Category::request_timeout, "connection_timeout", "The other side was too slow.");
}

[[noreturn]] void two_at_once(const char* what) {
  std::fprintf(stderr, "bedplate: two operations %s one stream at the same time\n", what);
  std::abort();
}

void cancel_read(Op& op) {
  auto& io = static_cast<IoOp&>(op);
  io.socket->end_reader(io.scope->error());
}

void cancel_write(Op& op) {
  auto& io = static_cast<IoOp&>(op);
  io.socket->end_writer(io.scope->error());
}

// Progress was `size` of `wanted`; less means that the kernel has no more (room) for now. After a hang-up
// there are no further edges, so then only the system call itself can tell.
bool ran_dry(const Socket& socket, std::size_t size, std::size_t wanted) {
  return size < wanted && !socket.hung_up;
}

}  // namespace

Error connection_closed() {
  return Error(Category::cancelled, "connection_closed", "The connection was closed.");
}

// ---- Socket

Socket::Socket(Loop& loop, int descriptor, SocketAddress other_end)
    : CoarseTimer(loop, &Socket::handle_timeout), fd(descriptor), peer(std::move(other_end)) {
  on_events = &Socket::handle_events;
}

Socket::~Socket() {
  // Closing is not enough: while a child process that was just forked still holds the descriptor, epoll would go on
  // reporting events for this object (epoll(7), "Questions and answers", 6).
  loop().remove(*this, fd);
  ::close(fd);
  if (reader) end_reader(connection_closed());
  if (writer) end_writer(connection_closed());
  if (!count) return;
  --count->open;
  if (count->owner) count->on_closed(count->owner);
}

bool Socket::join_loop() {
  return loop().add(*this, fd, kReadEvents);
}

bool Socket::may_go_on() {
  if (std::uint64_t tick = loop().tick(); turns_tick != tick) {
    turns_tick = tick;
    turns = 0;
  }
  return ++turns <= kTurnsMax;
}

bool Socket::arm_timeout() {
  constexpr Loop::TimePoint kNoTime = Loop::TimePoint::max();
  const Loop::TimePoint now = loop().now();
  const Loop::TimePoint when = std::min(deadline, idle_timeout.count() > 0 ? now + idle_timeout : kNoTime);
  if (when == kNoTime)
    disarm();
  else
    arm(when);
  return when > now;
}

void Socket::end_reader(Error error) {
  IoOp* op = std::exchange(reader, nullptr);
  op->error.emplace(std::move(error));
  loop().resume_later(*op);
}

void Socket::end_writer(Error error) {
  IoOp* op = std::exchange(writer, nullptr);
  op->error.emplace(std::move(error));
  loop().resume_later(*op);
}

bool Socket::want_writable() {
  if (reports_writable) return true;
  reports_writable = loop().modify(*this, fd, kReadEvents | EPOLLOUT);
  return reports_writable;
}

void Socket::handle_events(Pollable& pollable, std::uint32_t events) {
  auto& self = static_cast<Socket&>(pollable);
  Loop& loop = self.loop();
  bool gone = (events & (EPOLLHUP | EPOLLERR)) != 0;
  if (gone || (events & EPOLLRDHUP)) self.hung_up = self.readable = true;
  if (gone) self.writable = true;
  if (events & EPOLLIN) self.readable = true;
  if (events & EPOLLOUT) self.writable = true;
  if (self.reader && self.readable) {
    IoOp& op = *self.reader;
    if (op.attempt == &attempt_wait || op.attempt(op)) {
      self.reader = nullptr;
      op.resume();
      if (loop.dispatching() != &self) return;  // that closed us
    }
  }
  if (self.writer && self.writable) {
    IoOp& op = *self.writer;
    std::size_t before = op.done;
    if (op.attempt(op)) {
      self.writer = nullptr;
      op.resume();
      if (loop.dispatching() != &self) return;
    } else if (op.done != before) {
      self.arm_timeout();
    }
  }
  if (gone && self.gone_scope && !self.reader && !self.writer)
    std::exchange(self.gone_scope, nullptr)->cancel(Category::cancelled);
}

void Socket::handle_timeout(CoarseTimer& timer) {
  auto& self = static_cast<Socket&>(timer);
  if (self.reader) self.end_reader(connection_timeout());
  if (self.writer) self.end_writer(connection_timeout());
}

void SocketCloser::operator()(Socket* socket) const {
  delete socket;
}

// ---- operations

bool start_read(IoOp& op) {
  if (!op.socket) {
    op.error.emplace(connection_closed());
    return true;
  }
  Socket& socket = *op.socket;
  if (socket.reader) two_at_once("read");
  if (!socket.readable || !op.attempt(op)) return false;
  op.finished = !socket.may_go_on();
  return !op.finished;
}

bool start_write(IoOp& op) {
  if (!op.socket) {
    op.error.emplace(connection_closed());
    return true;
  }
  Socket& socket = *op.socket;
  if (socket.writer) two_at_once("write to");
  if (!socket.writable || !op.attempt(op)) return false;
  op.finished = !socket.may_go_on();
  return !op.finished;
}

void wait_to_read(IoOp& op) {
  Socket& socket = *op.socket;
  if (op.finished) return socket.loop().resume_later(op);
  op.on_cancel = &cancel_read;
  socket.reader = &op;
  if (!socket.arm_timeout()) socket.end_reader(connection_timeout());
}

void wait_to_write(IoOp& op) {
  Socket& socket = *op.socket;
  if (op.finished) return socket.loop().resume_later(op);
  op.on_cancel = &cancel_write;
  socket.writer = &op;
  if (!socket.arm_timeout())
    socket.end_writer(connection_timeout());
  else if (!socket.want_writable())
    socket.end_writer(
        Error(Category::unavailable, "watch_failed", "The system cannot watch one more connection."));
}

bool attempt_read(IoOp& io) {
  auto& op = static_cast<ReadOp&>(io);
  Socket& socket = *op.socket;
  for (;;) {
    ssize_t size = ::recv(socket.fd, op.buffer.data(), op.buffer.size(), 0);
    if (size >= 0) {
      op.done = static_cast<std::size_t>(size);
      if (ran_dry(socket, op.done, op.buffer.size())) socket.readable = false;
      return true;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      socket.readable = false;
      return false;
    }
    op.error.emplace(connection_closed());
    return true;
  }
}

bool attempt_wait(IoOp& op) {
  char ignored;
  ssize_t size = 0;
  do {
    size = ::recv(op.socket->fd, &ignored, 1, MSG_PEEK);
  } while (size < 0 && errno == EINTR);
  if (size >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) return true;  // an error is for read() to find
  op.socket->readable = false;
  return false;
}

// What a write system call returned, with errno. True: the operation is over.
static bool write_failed(IoOp& op, bool& retry) {
  retry = errno == EINTR;
  if (retry) return false;
  if (errno == EAGAIN || errno == EWOULDBLOCK) {
    op.socket->writable = false;
    return false;
  }
  op.error.emplace(connection_closed());
  return true;
}

bool attempt_write(IoOp& io) {
  auto& op = static_cast<WriteOp&>(io);
  Socket& socket = *op.socket;
  while (op.done < op.data.size()) {
    std::size_t left = op.data.size() - op.done;
    ssize_t size = ::send(socket.fd, op.data.data() + op.done, left, MSG_NOSIGNAL);
    if (size < 0) {
      bool retry = false;
      if (write_failed(op, retry)) return true;
      if (retry) continue;
      return false;
    }
    op.done += static_cast<std::size_t>(size);
    if (ran_dry(socket, static_cast<std::size_t>(size), left)) {
      socket.writable = false;
      return false;
    }
  }
  return true;
}

static std::size_t gather(const WriteOp& op, std::array<iovec, kPiecesMax>& pieces, std::size_t& wanted) {
  std::size_t count = 0;
  wanted = 0;
  for (std::size_t i = 0; i < op.parts.size() && count < kPiecesMax; ++i) {
    std::string_view piece = op.parts[i].substr(i == 0 ? op.done : 0);
    if (piece.empty()) continue;
    pieces[count++] = {const_cast<char*>(piece.data()), piece.size()};
    wanted += piece.size();
  }
  return count;
}

// Drops the pieces that are written; `done` counts into the first that is left.
static void consume(WriteOp& op, std::size_t size) {
  op.done += size;
  while (!op.parts.empty() && op.done >= op.parts.front().size()) {
    op.done -= op.parts.front().size();
    op.parts = op.parts.subspan(1);
  }
}

bool attempt_gather(IoOp& io) {
  auto& op = static_cast<WriteOp&>(io);
  Socket& socket = *op.socket;
  for (;;) {
    std::array<iovec, kPiecesMax> pieces;
    std::size_t wanted = 0;
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = gather(op, pieces, wanted);
    if (wanted == 0) return true;
    ssize_t size = ::sendmsg(socket.fd, &message, MSG_NOSIGNAL);
    if (size < 0) {
      bool retry = false;
      if (write_failed(op, retry)) return true;
      if (retry) continue;
      return false;
    }
    consume(op, static_cast<std::size_t>(size));
    if (ran_dry(socket, static_cast<std::size_t>(size), wanted)) {
      socket.writable = false;
      return false;
    }
  }
}

}  // namespace detail

// ---- Stream

Result<Stream> Stream::adopt(Loop& loop, int fd, SocketAddress peer) {
  Stream stream(new detail::Socket(loop, fd, std::move(peer)));
  if (!stream.socket_->join_loop())
    return fail(Category::unavailable, "watch_failed", "The system cannot watch one more connection.");
  return stream;
}

void Stream::set_idle_timeout(std::chrono::milliseconds timeout) {
  if (socket_) socket_->idle_timeout = timeout;
}

void Stream::set_deadline(std::chrono::milliseconds from_now) {
  if (!socket_) return;
  socket_->deadline = socket_->loop().now() + from_now;
  if (socket_->reader || socket_->writer) socket_->arm_timeout();
}

void Stream::clear_deadline() {
  if (socket_) socket_->deadline = Loop::TimePoint::max();
}

void Stream::cancel_when_gone(Scope* scope) {
  if (socket_) socket_->gone_scope = scope;
}

bool Stream::peer_has_closed() const {
  return socket_ && socket_->hung_up;
}

void Stream::shutdown_write() {
  if (socket_) ::shutdown(socket_->fd, SHUT_WR);
}

void Stream::close() {
  socket_.reset();
}

Async<void> Stream::close_gently(std::chrono::milliseconds within, std::size_t size_bytes_max) {
  // Nobody reads what arrives here, so all streams of a thread may share it.
  static constinit thread_local std::array<char, 16384> discarded{};
  if (!socket_) co_return;
  shutdown_write();
  set_idle_timeout(std::chrono::milliseconds(0));
  set_deadline(within);
  for (std::size_t total = 0; total < size_bytes_max && is_open();) {
    Result<std::size_t> size = co_await read(discarded);
    if (!size || *size == 0) break;
    total += *size;
  }
  close();
}

const SocketAddress& Stream::peer() const {
  static const SocketAddress nobody;
  return socket_ ? socket_->peer : nobody;
}

SocketAddress Stream::local() const {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (!socket_ || ::getsockname(socket_->fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  return SocketAddress::from_system(reinterpret_cast<sockaddr*>(&storage), size);
}

std::optional<PeerCredentials> Stream::peer_credentials() const {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (!socket_ || socket_->peer.family() != SocketAddress::Family::local ||
      ::getsockopt(socket_->fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return std::nullopt;
  return PeerCredentials{credentials.pid, credentials.uid, credentials.gid};
}

Loop& Stream::loop() const {
  return socket_->loop();
}

int Stream::fd() const {
  return socket_ ? socket_->fd : -1;
}

}  // namespace bedplate
