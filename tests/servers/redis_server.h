// SPDX-License-Identifier: Apache-2.0
// Redis for tests: real servers on loopback with throwaway data, alone, with TLS, or three as a cluster.
//
//   std::string url = shared_redis().new_url();       // for most tests: a numbered database of their own
//   open_redis(url);
//
//   RedisServer server;                               // to be stopped and killed: 30 ms
//   server.kill();
//   server.start();                                   // the same port; empty, unless persistent
//
//   RedisCluster cluster;                             // three masters, every slot served
//
// Numbered databases keep keys apart, not channels of pub/sub nor FLUSHALL. Not thread-safe, but for the const
// functions. Whatever fails aborts with the server's log.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/servers/daemon.h"
#include "tests/servers/tls_files.h"

namespace bedplate::testing {

/// Where a server is, and how to get in.
class RedisAddress {
 public:
  RedisAddress() = default;
  RedisAddress(std::uint16_t port, std::string password, bool tls = false)
      : port_(port), password_(std::move(password)), tls_(tls) {}

  /// redis://default:password@127.0.0.1:port/database, or rediss:// with TLS.
  std::string url(int database = 0) const;
  std::uint16_t port() const { return port_; }
  const std::string& password() const { return password_; }

  /// The answer to one command as text (a line for each item of a list, "" for nil), past the program under test:
  /// command({"GET", "key"}). Over a connection of its own; not with TLS. Aborts on an error.
  std::string command(const std::vector<std::string>& words, int database = 0) const;
  /// url() of a database that nobody else has been given.
  std::string new_url() const;

 private:
  std::uint16_t port_ = 0;
  std::string password_;
  bool tls_ = false;
};

class RedisServer {
 public:
  struct Options {
    /// Accepts TLS connections only.
    bool tls = false;
    bool password = true;
    /// Keeps its data over a restart (appendonly, fsync at every write).
    bool persistent = false;
    /// A node of a cluster: see RedisCluster.
    bool cluster = false;
    /// Further directives: {"maxmemory 10mb"}.
    std::vector<std::string> settings = {};
  };

  /// Started and ready.
  RedisServer();
  explicit RedisServer(Options options);
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  const RedisAddress& address() const { return address_; }
  std::string url(int database = 0) const { return address_.url(database); }
  std::string command(const std::vector<std::string>& words, int database = 0) const {
    return address_.command(words, database);
  }

  /// After stop() or kill(), on the same port.
  void start();
  void stop();
  void kill();
  void restart() {
    stop();
    start();
  }
  /// SIGSTOP and SIGCONT: a server that hangs, with its connections open.
  void pause() { daemon_.pause(); }
  void resume() { daemon_.resume(); }

  bool is_running() { return daemon_.is_running(); }
  const std::string& directory() const { return directory_.path(); }
  std::string log() const { return read_file(directory_ / "log"); }
  const std::optional<TlsFiles>& tls() const { return tls_; }

 private:
  void configure();
  void launch();
  bool becomes_ready();

  Options options_;
  ServerDirectory directory_;
  std::optional<TlsFiles> tls_;
  std::optional<ServerPort> port_;
  RedisAddress address_;
  Daemon daemon_;
};

/// Three masters that share the slots, with a password. No replica takes over by itself.
class RedisCluster {
 public:
  RedisCluster();

  RedisServer& node(std::size_t index) { return *nodes_.at(index); }
  std::string url(std::size_t index = 0) const { return nodes_.at(index)->url(); }

  /// A replica of that master, which has what it has.
  std::unique_ptr<RedisServer> replica_of(std::size_t index);
  /// Makes a replica master: `how` is TAKEOVER when its master is gone, nothing when it is to be asked first. Returns
  /// when the other nodes know.
  void promote(RedisServer& replica, const std::string& how = "");

 private:
  void wait(const char* what, const std::function<bool()>& is_so);

  std::array<std::unique_ptr<RedisServer>, 3> nodes_;
};

/// The server that the tests of one ctest run share; a test program that is run by hand starts one for itself on the
/// first call. Nobody stops it, nobody empties it.
const RedisAddress& shared_redis();

}  // namespace bedplate::testing
