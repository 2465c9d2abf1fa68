// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "bedplate/async/loop.h"
#include "bedplate/async/stream.h"
#include "bedplate/async/timer.h"

namespace bedplate {
namespace {

// Waits until a descriptor that connects has succeeded or failed.
class ConnectOp : public Op, private detail::Pollable, private PreciseTimer {
 public:
  using Value = void;

  ConnectOp(Loop& loop, int fd, std::chrono::milliseconds timeout)
      : PreciseTimer(loop, &ConnectOp::timed_out), loop_(loop), fd_(fd), timeout_(timeout) {
    on_events = [](detail::Pollable& pollable, std::uint32_t) { static_cast<ConnectOp&>(pollable).end(); };
    on_cancel = [](Op& op) {
      auto& self = static_cast<ConnectOp&>(op);
      self.fail_with(self.scope->error());
    };
  }

  bool await_ready() const { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    if (!wait(h)) return false;
    if (!loop_.add(*this, fd_, EPOLLOUT | EPOLLET)) {
      error.emplace(Category::unavailable, "watch_failed", "The system cannot watch one more connection.");
      forget();
      return false;
    }
    if (timeout_.count() > 0) arm(timeout_);
    return true;
  }
  [[nodiscard]] Result<void> await_resume() {
    if (error) return std::unexpected(std::move(*error));
    return {};
  }

 private:
  static void timed_out(PreciseTimer& timer) {
    static_cast<ConnectOp&>(timer).fail_with(
        Error(Category::timeout, "connect_timeout", "The other side did not answer in time."));
  }
  void fail_with(Error why) {
    error.emplace(std::move(why));
    end();
  }
  void end() {
    disarm();
    loop_.remove(*this, fd_);
    loop_.resume_later(*this);
  }

  Loop& loop_;
  const int fd_;
  const std::chrono::milliseconds timeout_;
};

struct OwnedFd {
  explicit OwnedFd(int descriptor) : fd(descriptor) {}
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  ~OwnedFd() {
    if (fd >= 0) ::close(fd);
  }
  int release() { return std::exchange(fd, -1); }
  int fd;
};

std::unexpected<Error> connect_failed(const SocketAddress& address, int error) {
  return fail(
      Category::unavailable, "connect_failed",
      "Cannot connect to " + address.to_string() + ": " + std::generic_category().message(error) + ".");
}

}  // namespace

Async<Stream> connect(SocketAddress address, ConnectOptions options) {
  sockaddr_storage storage;
  socklen_t size = address.to_system(&storage);
  OwnedFd socket(::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.fd < 0) co_return connect_failed(address, errno);
  if (address.family() != SocketAddress::Family::local) {
    const int on = 1;
    ::setsockopt(socket.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  Loop& loop = *Loop::current();
  int status = 0;
  do {
    status = ::connect(socket.fd, reinterpret_cast<sockaddr*>(&storage), size);
  } while (status != 0 && errno == EINTR);
  if (status != 0 && errno != EINPROGRESS) co_return connect_failed(address, errno);
  if (status != 0) {
    ConnectOp connecting(loop, socket.fd, options.timeout);
    Result<void> connected = co_await connecting;
    if (!connected) co_return std::unexpected(std::move(connected.error()));
    int error = 0;
    socklen_t error_size = sizeof error;
    ::getsockopt(socket.fd, SOL_SOCKET, SO_ERROR, &error, &error_size);
    if (error != 0) co_return connect_failed(address, error);
  }
  co_return Stream::adopt(loop, socket.release(), std::move(address));
}

}  // namespace bedplate
