// SPDX-License-Identifier: Apache-2.0
// For tests of outbound requests: a resolver that answers from a list, and a client on a loop of its own.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bedplate/async/loop.h"
#include "bedplate/outbound/client.h"

namespace bedplate::testing {

/// Answers addresses ("127.0.0.1", "::1") by a function of how often the host was asked for, from 0.
class FakeResolver final : public outbound::Resolver {
 public:
  using Answer = std::function<std::vector<std::string>(int)>;

  void add(std::string host, std::vector<std::string> addresses) {
    hosts_[std::move(host)] = [addresses = std::move(addresses)](int) { return addresses; };
  }
  void add(std::string host, Answer answer) { hosts_[std::move(host)] = std::move(answer); }
  int lookups() const { return lookups_; }

  Async<std::vector<SocketAddress>> resolve(std::string host, std::uint16_t port) override {
    ++lookups_;
    const auto known = hosts_.find(host);
    if (known == hosts_.end())
      co_return fail(Category::unavailable, "resolve_failed", "The host has no address.");
    std::vector<SocketAddress> found;
    for (const std::string& ip : known->second(asked_[host]++)) {
      const std::string text = ip.find(':') == ip.npos ? ip : "[" + ip + "]";
      found.push_back(*SocketAddress::parse(text + ":" + std::to_string(port)));
    }
    co_return std::move(found);
  }

 private:
  std::map<std::string, Answer> hosts_;
  std::map<std::string, int> asked_;
  int lookups_ = 0;
};

struct OutboundRoom {
  explicit OutboundRoom(outbound::ClientOptions options = outbound::ClientOptions())
      : client(std::in_place, loop, resolver, std::move(options)) {}

  Result<outbound::Response> send(outbound::Request request, Scope* scope = nullptr) {
    return run_to_end(loop, client->send(std::move(request)), scope);
  }
  Result<outbound::Response> get(const std::string& url) { return send(outbound::Request("GET", url)); }

  Loop loop;
  FakeResolver resolver;
  std::optional<outbound::Client> client;
};

}  // namespace bedplate::testing
