// SPDX-License-Identifier: Apache-2.0
#include "tests/servers/redis_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <sstream>

#include "bedplate/base/random.h"
#include "bedplate/base/text.h"
#include "tests/servers/shared_servers.h"

namespace bedplate::testing {
namespace {

constexpr const char* kProgram = "/usr/bin/redis-server";
constexpr const char* kClusterPassword = "cluster";  // The nodes of a cluster share one.

std::string random_password() {
  std::array<char, 12> bytes;
  random_bytes(bytes.data(), bytes.size());
  return to_hex({bytes.data(), bytes.size()});
}

/// One blocking connection that speaks as much RESP2 as the kit needs.
class Connection {
 public:
  explicit Connection(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{kPatience.count(), 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_open_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { ::close(fd_); }

  /// The answer, lists with a line for each item; nothing when it is an error or there is none.
  std::optional<std::string> ask(const std::vector<std::string>& words) {
    std::string request = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& word : words)
      request += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    if (!is_open_ ||
        ::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
      return std::nullopt;
    return reply();
  }
  const std::string& error() const { return error_; }

 private:
  bool fill() {
    char bytes[4096];
    const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    input_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }
  std::optional<std::string> line() {
    std::size_t end;
    while ((end = input_.find("\r\n")) == std::string::npos)
      if (!fill()) return std::nullopt;
    std::string text = input_.substr(0, end);
    input_.erase(0, end + 2);
    return text;
  }
  std::optional<std::string> reply() {
    const std::optional<std::string> head = line();
    if (!head || head->empty()) return std::nullopt;
    const std::string rest = head->substr(1);
    if (head->front() == '-') error_ = rest;
    if (head->front() == '+' || head->front() == ':') return rest;
    if (head->front() == '$') return bulk(parse_int(rest).value_or(-1));
    if (head->front() != '*') return std::nullopt;
    std::string all;
    for (std::int64_t left = parse_int(rest).value_or(0); left > 0; --left) {
      const std::optional<std::string> item = reply();
      if (!item) return std::nullopt;
      all += *item + "\n";
    }
    return all;
  }
  std::optional<std::string> bulk(std::int64_t size) {
    if (size < 0) return "";
    const auto wanted = static_cast<std::size_t>(size);
    while (input_.size() < wanted + 2)
      if (!fill()) return std::nullopt;
    std::string text = input_.substr(0, wanted);
    input_.erase(0, wanted + 2);
    return text;
  }

  int fd_;
  bool is_open_ = false;
  std::string input_;
  std::string error_;
};

}  // namespace

// ---- RedisAddress

std::string RedisAddress::url(int database) const {
  const std::string login = password_.empty() ? "" : "default:" + password_ + "@";
  return std::string(tls_ ? "rediss" : "redis") + "://" + login + "127.0.0.1:" + std::to_string(port_) + "/" +
         std::to_string(database);
}

std::string RedisAddress::command(const std::vector<std::string>& words, int database) const {
  Connection connection(port_);
  std::optional<std::string> answer = "";
  if (!password_.empty()) answer = connection.ask({"AUTH", password_});
  if (answer && database != 0) answer = connection.ask({"SELECT", std::to_string(database)});
  if (answer) answer = connection.ask(words);
  if (!answer) server_failed("redis " + words.front() + ": " + connection.error());
  return std::move(*answer);
}

std::string RedisAddress::new_url() const {
  return url(static_cast<int>(parse_int(command({"INCR", "databases_given"})).value_or(0)));
}

// ---- RedisServer

RedisServer::RedisServer() : RedisServer(Options{}) {}

RedisServer::RedisServer(Options options) : options_(std::move(options)), directory_("redis") {
  if (::access(kProgram, X_OK) != 0) server_failed("Redis is not installed: apt-get install redis-server");
  if (options_.tls) tls_ = make_tls_files(directory_.path());
  std::string password;
  if (options_.password) password = options_.cluster ? kClusterPassword : random_password();
  for (int attempt = 0; attempt < 5; ++attempt) {
    address_ = RedisAddress(port_.emplace().number(), password, options_.tls);
    configure();
    launch();
    if (becomes_ready()) return;
    if (!log().contains("Address already in use")) break;
  }
  server_failed("Redis did not start", directory_ / "log");
}

void RedisServer::configure() {
  const std::string& password = address_.password();
  std::ostringstream text;
  text << "bind 127.0.0.1\n"
       << (tls_ ? "port 0\ntls-port " : "port ") << address_.port() << "\n"
       << "dir " << directory_.path() << "\n"
       << "databases 10000\n"
       << "save \"\"\n"
       << (options_.persistent ? "appendonly yes\nappendfsync always\n" : "appendonly no\n");
  if (!password.empty()) text << "requirepass " << password << "\nmasterauth " << password << "\n";
  if (password.empty()) text << "protected-mode no\n";
  // A node that is silent for a while is not yet gone: the machine may have stopped it. And slots without a master
  // leave the others to be served, as long as a test likes.
  if (options_.cluster)
    text << "cluster-enabled yes\ncluster-node-timeout 5000\ncluster-require-full-coverage no\n"
         << "cluster-replica-no-failover yes\n";
  if (tls_)
    text << "tls-cert-file " << tls_->certificate << "\ntls-key-file " << tls_->key << "\ntls-ca-cert-file "
         << tls_->authority << "\ntls-auth-clients no\n";
  for (const std::string& line : options_.settings) text << line << "\n";
  write_server_file(directory_ / "redis.conf", text.str());
}

void RedisServer::launch() {
  check_servers_allowed();
  daemon_.start({.arguments = {kProgram, directory_ / "redis.conf"}, .log = directory_ / "log"});
}

bool RedisServer::becomes_ready() {
  bool ended = false;
  const bool ready = wait_until([&] {
    ended = !daemon_.is_running();
    if (ended) return true;
    // With TLS the log must do: the kit speaks none.
    if (options_.tls) return log().contains("Ready to accept connections");
    Connection connection(address_.port());
    if (!address_.password().empty()) connection.ask({"AUTH", address_.password()});
    return connection.ask({"PING"}) == "PONG";
  });
  return ready && !ended;
}

void RedisServer::start() {
  launch();
  if (!becomes_ready()) server_failed("Redis did not start", directory_ / "log");
}

void RedisServer::stop() {
  daemon_.signal(SIGTERM);
  daemon_.wait();
}

void RedisServer::kill() {
  daemon_.kill_all();
}

// ---- RedisCluster

RedisCluster::RedisCluster() {
  for (auto& node : nodes_) node = std::make_unique<RedisServer>(RedisServer::Options{.cluster = true});
  constexpr int kSlots = 16384;
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    const auto first = kSlots * n / nodes_.size();
    const auto last = kSlots * (n + 1) / nodes_.size() - 1;
    nodes_[n]->command({"CLUSTER", "ADDSLOTSRANGE", std::to_string(first), std::to_string(last)});
    if (n > 0)
      nodes_[0]->command({"CLUSTER", "MEET", "127.0.0.1", std::to_string(nodes_[n]->address().port())});
  }
  wait("form", [this] {
    return std::ranges::all_of(nodes_, [](auto& node) {
      const std::string info = node->command({"CLUSTER", "INFO"});
      return info.contains("cluster_state:ok") && info.contains("cluster_slots_ok:16384") &&
             info.contains("cluster_known_nodes:3");
    });
  });
}

std::unique_ptr<RedisServer> RedisCluster::replica_of(std::size_t index) {
  auto replica = std::make_unique<RedisServer>(RedisServer::Options{.cluster = true});
  const std::string master = node(index).command({"CLUSTER", "MYID"});
  replica->command({"CLUSTER", "MEET", "127.0.0.1", std::to_string(node(index).address().port())});
  wait("take in a replica", [&] { return replica->command({"CLUSTER", "NODES"}).contains(master); });
  replica->command({"CLUSTER", "REPLICATE", master});
  wait("copy to a replica", [&] {
    return replica->command({"INFO", "replication"}).contains("master_link_status:up") &&
           node(index).command({"CLUSTER", "NODES"}).contains(replica->command({"CLUSTER", "MYID"}));
  });
  return replica;
}

namespace {

/// What an answer to CLUSTER NODES says of a node: "ID address flags master ...", a line each. Its id also stands in
/// the lines of its replicas, as their master.
bool is_master(std::string_view id, std::string_view nodes) {
  std::istringstream lines{std::string(nodes)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name, address, flags;
    if (words >> name >> address >> flags && name == id) return flags.contains("master");
  }
  return false;
}

}  // namespace

void RedisCluster::promote(RedisServer& replica, const std::string& how) {
  std::vector<std::string> words{"CLUSTER", "FAILOVER"};
  if (!how.empty()) words.push_back(how);
  const std::string id = replica.command({"CLUSTER", "MYID"});
  auto is_promoted = [&](RedisServer& node) { return is_master(id, node.command({"CLUSTER", "NODES"})); };
  // Redis gives up after five seconds what its master does not join in: asked again when that is over.
  std::chrono::steady_clock::time_point ask_again;
  wait("fail over", [&] {
    if (const auto now = std::chrono::steady_clock::now(); now >= ask_again && !is_promoted(replica)) {
      replica.command(words);
      ask_again = now + std::chrono::seconds(10);
    }
    return std::ranges::all_of(nodes_, [&](auto& node) { return !node->is_running() || is_promoted(*node); });
  });
}

void RedisCluster::wait(const char* what, const std::function<bool()>& is_so) {
  if (!wait_until(is_so))
    server_failed(std::string("the Redis cluster does not ") + what, nodes_[0]->directory() + "/log");
}

const RedisAddress& shared_redis() {
  check_servers_allowed();
  static const RedisAddress address = [] {
    if (std::optional<SharedServers> shared = find_shared_servers())
      return RedisAddress(shared->redis_port, shared->redis_password);
    static RedisServer server;
    return server.address();
  }();
  return address;
}

}  // namespace bedplate::testing
