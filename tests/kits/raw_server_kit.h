// SPDX-License-Identifier: Apache-2.0
// A server that does what a test's script says, byte by byte: for clients of servers that behave badly.
//
//   RawServer server([](RawServer::Connection& peer, int) {
//     peer.read_until("\r\n\r\n");
//     peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
//   });
//   server.port(); server.connections();
//
// Each connection has a thread, which runs the script with the number of the connection (from 0) and closes at its end.
// Every wait has a limit. The destructor ends what still waits.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace bedplate::testing {

class RawServer {
 public:
  class Connection {
   public:
    explicit Connection(int fd) : fd_(fd) {}
    /// What came up to and with `end`; shorter when the other side closed first.
    std::string read_until(std::string_view end) {
      for (;;) {
        if (const std::size_t at = in_.find(end); at != in_.npos) return taken(at + end.size());
        if (!fill()) return taken(in_.size());
      }
    }
    std::string read(std::size_t size) {
      while (in_.size() < size)
        if (!fill()) break;
      return taken(std::min(size, in_.size()));
    }
    /// Waits until the other side has closed; what came until then.
    std::string read_to_end() {
      while (fill()) {
      }
      return taken(in_.size());
    }
    /// False: the other side has closed.
    bool write(std::string_view bytes) {
      while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      }
      return true;
    }
    /// Closing resets the connection.
    void reset() {
      const linger now{1, 0};
      ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }

   private:
    bool fill() {
      char bytes[16 * 1024];
      const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
      if (got <= 0) return false;
      in_.append(bytes, static_cast<std::size_t>(got));
      return true;
    }
    std::string taken(std::size_t size) {
      std::string text = in_.substr(0, size);
      in_.erase(0, size);
      return text;
    }
    const int fd_;
    std::string in_;
  };
  using Script = std::function<void(Connection&, int)>;

  explicit RawServer(Script script, const char* ip = "127.0.0.1") : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    ::inet_pton(AF_INET, ip, &address.sin_addr);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0)
      std::abort();
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~RawServer() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      std::lock_guard lock(mutex_);
      for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    ::close(listener_);
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  int port() const { return port_; }
  int connections() const { return connections_; }
  /// Connections whose script has ended.
  int ended() const { return ended_; }
  std::string url(std::string_view target) const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(target);
  }

 private:
  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      std::lock_guard lock(mutex_);
      if (stopping_) {
        ::close(fd);
        return;
      }
      const timeval limit{60, 0};
      ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
      ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
      open_.push_back(fd);
      threads_.emplace_back([this, fd, number = connections_++] { serve(fd, number); });
    }
  }
  void serve(int fd, int number) {
    Connection connection(fd);
    script_(connection, number);
    std::lock_guard lock(mutex_);
    std::erase(open_, fd);
    ::close(fd);
    ++ended_;
  }

  const Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<int> ended_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace bedplate::testing
