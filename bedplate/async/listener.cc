// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <string>
#include <system_error>
#include <utility>

#include "bedplate/async/socket.h"
#include "bedplate/base/log.h"

namespace bedplate {
namespace {

using std::chrono::milliseconds;

constexpr int kAcceptsPerTickMax = 64;  // so that a flood of connections does not hold up those that are open
constexpr milliseconds kStarvedPause(100);

bool is_another_kind_of_file(const SocketAddress& address) {
  struct stat status{};
  return address.family() == SocketAddress::Family::local && ::lstat(address.path().c_str(), &status) == 0 &&
         !S_ISSOCK(status.st_mode);
}

std::unexpected<Error> cannot_listen(const SocketAddress& address, int error) {
  const std::string where = address.to_string();
  if (error == EADDRINUSE && is_another_kind_of_file(address))
    return fail(Category::unavailable, "not_a_socket",
                "Cannot listen on " + where +
                    ": there is a file at this path, and it is not a socket. Move it away, or choose another "
                    "path.");
  switch (error) {
    case EADDRINUSE:
      return fail(Category::unavailable, "address_in_use",
                  "Cannot listen on " + where +
                      ": another process already does. Stop it, or choose another address (port 0 takes a "
                      "free one).");
    case EADDRNOTAVAIL:
      return fail(Category::unavailable, "address_not_available",
                  "Cannot listen on " + where + ": this machine does not have that address.");
    case EACCES:
    case EPERM:
      return fail(
          Category::unavailable, "permission_denied",
          "Cannot listen on " + where +
              ": permission denied. Ports below 1024 and the directory of a socket file need rights.");
    default:
      return fail(Category::unavailable, "listen_failed",
                  "Cannot listen on " + where + ": " + std::generic_category().message(error) + ".");
  }
}

int set_flag(int fd, int level, int option, int value) {
  return ::setsockopt(fd, level, option, &value, sizeof value);
}

// Bound but not listening yet; -1 and errno when it fails.
int bind_tcp(const SocketAddress& address, bool share_port) {
  sockaddr_storage storage;
  socklen_t size = address.to_system(&storage);
  int fd = ::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1);  // accepted sockets inherit it
  if (storage.ss_family == AF_INET6) set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, address.dual_stack() ? 0 : 1);
  if (share_port) set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&storage), size) == 0) return fd;
  int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

// True when the file at the address is a socket that nobody listens on.
bool is_stale(const SocketAddress& address) {
  struct stat status{};
  if (::lstat(address.path().c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  sockaddr_storage storage;
  socklen_t size = address.to_system(&storage);
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  bool refused = ::connect(fd, reinterpret_cast<sockaddr*>(&storage), size) != 0 && errno == ECONNREFUSED;
  ::close(fd);
  return refused;
}

// Held while a stale socket is looked at and replaced, by everybody who does that in this folder: otherwise one could
// remove what another has just made. Where a folder cannot be locked, or somebody holds the lock for two seconds
// (whoever may read a folder can), it is done without.
class FolderLock {
 public:
  explicit FolderLock(const std::string& path)
      : fd_(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    constexpr int kTries = 200;
    constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 10'000'000};
    for (int i = 0; fd_ >= 0 && i < kTries && ::flock(fd_, LOCK_EX | LOCK_NB) != 0; ++i)
      ::nanosleep(&kPause, nullptr);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
  }

 private:
  static std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash + 1);
  }
  const int fd_;
};

// Listens already: a socket on which nobody listens is taken for stale.
int bind_local(const SocketAddress& address, const ListenOptions& options) {
  const FolderLock lock(address.path());
  sockaddr_storage storage;
  socklen_t size = address.to_system(&storage);
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  int bound = ::bind(fd, reinterpret_cast<sockaddr*>(&storage), size);
  if (bound != 0 && errno == EADDRINUSE && is_stale(address)) {
    ::unlink(address.path().c_str());
    bound = ::bind(fd, reinterpret_cast<sockaddr*>(&storage), size);
  }
  // Nobody can connect before listen(), so the mode is right from the first connection on.
  if (bound == 0 && ::chmod(address.path().c_str(), options.unix_mode) == 0 &&
      ::listen(fd, options.backlog) == 0)
    return fd;
  int error = errno;
  ::close(fd);
  if (bound == 0) ::unlink(address.path().c_str());
  errno = error;
  return -1;
}

SocketAddress local_address(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  return SocketAddress::from_system(reinterpret_cast<sockaddr*>(&storage), size);
}

unsigned long inode_of(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

}  // namespace

// ---- ListenSockets

ListenSockets::ListenSockets(ListenSockets&& other) noexcept
    : address_(std::move(other.address_)),
      backlog_(other.backlog_),
      fds_(std::exchange(other.fds_, {})),
      owned_path_(std::exchange(other.owned_path_, {})),
      owned_inode_(other.owned_inode_) {}

ListenSockets::~ListenSockets() {
  for (int fd : fds_) ::close(fd);
  // Not when another server has put its own in our place meanwhile.
  if (!owned_path_.empty() && inode_of(owned_path_) == owned_inode_) ::unlink(owned_path_.c_str());
}

int ListenSockets::take() {
  if (fds_.empty()) return -1;
  int fd = fds_.back();
  fds_.pop_back();
  return fd;
}

Result<void> ListenSockets::listen() {
  if (address_.family() == SocketAddress::Family::local) return {};
  for (int fd : fds_)
    if (::listen(fd, backlog_) != 0) return cannot_listen(address_, errno);
  return {};
}

Result<ListenSockets> bind_on(const SocketAddress& address, std::size_t count, const ListenOptions& options) {
  ListenSockets sockets;
  sockets.address_ = address;
  sockets.backlog_ = options.backlog;
  bool local = address.family() == SocketAddress::Family::local;
  // The first is bound alone: another server's port is an error even when that one shares. Only then it is
  // shared.
  int first = local ? bind_local(address, options) : bind_tcp(address, false);
  if (first < 0) return cannot_listen(address, errno);
  sockets.fds_.push_back(first);
  if (local) {
    sockets.owned_path_ = address.path();
    sockets.owned_inode_ = inode_of(address.path());
  } else {
    sockets.address_.set_port(local_address(first).port());
    if (count > 1) set_flag(first, SOL_SOCKET, SO_REUSEPORT, 1);
  }
  while (sockets.fds_.size() < count) {
    int fd = local ? ::fcntl(first, F_DUPFD_CLOEXEC, 0) : bind_tcp(sockets.address_, true);
    if (fd < 0) return cannot_listen(sockets.address_, errno);
    sockets.fds_.push_back(fd);
  }
  return sockets;
}

Result<ListenSockets> listen_on(const SocketAddress& address, std::size_t count,
                                const ListenOptions& options) {
  Result<ListenSockets> sockets = bind_on(address, count, options);
  if (!sockets) return sockets;
  if (Result<void> listening = sockets->listen(); !listening)
    return std::unexpected(std::move(listening.error()));
  return sockets;
}

// ---- Listener

class Listener::Acceptor final : public detail::Pollable, public CoarseTimer {
 public:
  Acceptor(Loop& loop, int fd, ConnectionHandler& handler, const ListenOptions& options)
      : CoarseTimer(loop, [](CoarseTimer& timer) { static_cast<Acceptor&>(timer).watch(); }),
        handler_(handler),
        fd_(fd),
        connections_max_(options.connections_max),
        backlog_(options.backlog),
        count_(std::make_shared<detail::ConnectionCount>()) {
    on_events = [](detail::Pollable& self, std::uint32_t) { static_cast<Acceptor&>(self).accept_some(); };
    count_->owner = this;
    count_->on_closed = [](void* self) { static_cast<Acceptor*>(self)->watch(); };
    watch();
  }
  ~Acceptor() {
    count_->owner = nullptr;
    close();
  }

  void close() {
    if (fd_ < 0) return;
    unwatch();
    disarm();
    ::close(std::exchange(fd_, -1));
  }

  void drain() {
    // Bounded, since new ones may come as fast as they are taken.
    for (int left = 2 * backlog_ + kAcceptsPerTickMax; left > 0 && fd_ >= 0; --left) {
      std::shared_ptr<detail::ConnectionCount> alive = count_;
      if (!accept_one()) break;
      if (!alive->owner) return;
    }
    close();
  }

  bool is_open() const { return fd_ >= 0; }
  std::size_t connections() const { return count_->open; }
  bool starved() const { return starved_; }

 private:
  bool full() const { return count_->open >= connections_max_; }

  void watch() {
    if (fd_ < 0 || watched_ || full() || armed()) return;
    // Exclusive: of loops that share a Unix socket, one wakes for a connection. Level-triggered: the queue
    // may hold more than one turn takes.
    watched_ = loop().add(*this, fd_, EPOLLIN | EPOLLEXCLUSIVE);
    if (!watched_) arm(kStarvedPause);
  }
  void unwatch() {
    if (std::exchange(watched_, false)) loop().remove(*this, fd_);
  }

  void accept_some() {
    std::shared_ptr<detail::ConnectionCount> alive = count_;  // the handler may close or destroy the listener
    for (int i = 0; i < kAcceptsPerTickMax; ++i) {
      if (full()) return unwatch();
      if (!accept_one()) return;
      if (!alive->owner || fd_ < 0) return;
    }
  }

  // False: none waits, or none can be taken now.
  bool accept_one() {
    sockaddr_storage storage;
    socklen_t size = sizeof storage;
    int fd = ::accept4(fd_, reinterpret_cast<sockaddr*>(&storage), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return accept_failed(errno);
    recover();
    Result<Stream> stream =
        Stream::adopt(loop(), fd, SocketAddress::from_system(reinterpret_cast<sockaddr*>(&storage), size));
    if (!stream) return accept_failed(ENOMEM);
    stream->socket_->count = count_;
    ++count_->open;
    handler_.on_connection(std::move(*stream));
    return true;
  }

  bool accept_failed(int error) {
    switch (error) {
      case EAGAIN:
        return false;
      case EMFILE:
      case ENFILE:
      case ENOBUFS:
      case ENOMEM:
        starve(error);
        return false;
      case EBADF:
      case EINVAL:
      case ENOTSOCK:
      case EOPNOTSUPP:
        log_error("a listener broke", {{"error", std::generic_category().message(error)}});
        close();
        return false;
      default:  // that connection is gone (ECONNABORTED, a network error, a firewall): on to the next
        return true;
    }
  }

  void starve(int error) {
    if (!std::exchange(starved_, true))
      log_error("cannot accept connections; they wait until descriptors or memory are free",
                {{"error", std::generic_category().message(error)}, {"open", count_->open}});
    unwatch();
    arm(kStarvedPause);
  }
  void recover() {
    if (std::exchange(starved_, false)) log_info("accepting connections again");
  }

  ConnectionHandler& handler_;
  int fd_;
  const std::size_t connections_max_;
  const int backlog_;
  std::shared_ptr<detail::ConnectionCount> count_;
  bool watched_ = false;
  bool starved_ = false;
};

Listener::Listener(Loop& loop, int fd, ConnectionHandler& handler, const ListenOptions& options)
    : acceptor_(std::make_unique<Acceptor>(loop, fd, handler, options)) {}
Listener::~Listener() = default;
void Listener::drain() {
  acceptor_->drain();
}
void Listener::close() {
  acceptor_->close();
}
bool Listener::is_open() const {
  return acceptor_->is_open();
}
std::size_t Listener::connections() const {
  return acceptor_->connections();
}
bool Listener::starved() const {
  return acceptor_->starved();
}

}  // namespace bedplate
