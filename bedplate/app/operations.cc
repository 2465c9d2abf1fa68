// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/operations.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/un.h>
#include <unistd.h>

#include <system_error>
#include <utility>
#include <vector>

#include "bedplate/app/host.h"
#include "bedplate/async/loop.h"
#include "bedplate/async/loop_group.h"
#include "bedplate/base/log.h"
#include "bedplate/http/client.h"
#include "bedplate/http/server.h"
#include "bedplate/surfaces/rest/health_routes.h"
#include "bedplate/surfaces/rest/rest.h"

namespace bedplate::app {
namespace {

constexpr std::string_view kSocketName = "operations.sock";
constexpr std::size_t kLocalPathSizeMax = sizeof(sockaddr_un::sun_path) - 1;
constexpr std::size_t kConnectionsMax = 64;  // of each loop
constexpr std::chrono::seconds kStopPatience{3};
constexpr std::chrono::seconds kAnswerPatience{10};  // a report of health takes 2 s at most

std::shared_ptr<const int> open_folder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  return {new int(fd), [](const int* owned) {
            ::close(*owned);
            delete owned;
          }};
}

std::string replace(std::string text, std::string_view what, std::string_view with) {
  if (const std::size_t at = text.find(what); at != std::string::npos) text.replace(at, what.size(), with);
  return text;
}

}  // namespace

// ---- OperationsAddress

bool OperationsAddress::is_local(const HostSettings& settings) {
  return settings.telemetry.listen.empty() || settings.telemetry.listen.starts_with("unix:");
}

Result<OperationsAddress> OperationsAddress::find(const HostSettings& settings) {
  OperationsAddress place;
  place.name_ = settings.telemetry.listen;
  std::string address = place.name_;
  if (address.empty()) {
    const std::string& folder = settings.data.directory;
    std::string path = fmt::format("{}/{}", folder, kSocketName);
    place.name_ = "unix:" + path;
    if (path.size() > kLocalPathSizeMax) {
      place.folder_ = open_folder(folder);
      if (!place.folder_)
        return fail(
            Category::unavailable, "data_directory",
            "Cannot open the data directory " + folder + ": " + std::generic_category().message(errno) + ".");
      path = fmt::format("/proc/self/fd/{}/{}", *place.folder_, kSocketName);
    }
    address = "unix:" + path;
  }
  auto socket = SocketAddress::parse(address);
  if (!socket) return std::unexpected(std::move(socket.error()));
  place.socket_ = std::move(*socket);
  return place;
}

Error OperationsAddress::explain(const Error& error) const {
  return Error(error.category(), error.code(),
               replace(error.detail(), socket_.to_string(), name_) +
                   " /healthz and /metrics are served there; telemetry.listen names another address.");
}

// ---- Operations

Operations::Operations(OperationsAddress address, ListenSockets sockets)
    : address_(std::move(address)), sockets_(std::move(sockets)) {}
Operations::~Operations() = default;

Result<std::unique_ptr<Operations>> Operations::bind(const HostSettings& settings) {
  auto address = OperationsAddress::find(settings);
  if (!address) return std::unexpected(std::move(address.error()));
  ListenOptions options;
  options.unix_mode = 0600;
  auto sockets = bind_on(address->socket(), 1, options);
  if (!sockets) return std::unexpected(address->explain(sockets.error()));
  return std::unique_ptr<Operations>(new Operations(std::move(*address), std::move(*sockets)));
}

Result<void> Operations::serve(LoopGroup& loops, api::HealthRoutes& routes, const HostSettings& settings,
                               const Clock& clock) {
  api::Rest::Parts parts;
  parts.clock = &clock;
  parts.raw_routes = routes.operator_routes();
  parts.rest = settings.rest;
  parts.rest.docs = false;
  parts.rate_limit.enabled = false;
  std::vector<api::Api> apis;
  apis.push_back(routes.api());
  api::Executor::Parts execution;
  execution.clock = &clock;
  execution.rate_limit.enabled = false;
  auto executor = api::Executor::make(std::move(apis), std::move(execution));
  if (!executor) return std::unexpected(std::move(executor.error()));
  executor_ = std::move(*executor);
  auto rest = api::Rest::make(*executor_, std::move(parts));
  if (!rest) return std::unexpected(std::move(rest.error()));
  rest_ = std::move(*rest);
  http::ServerSettings server = settings.server;
  server.trusted_proxies.clear();
  server.allowed_hosts.clear();
  server.connections_max = static_cast<std::uint32_t>(kConnectionsMax * loops.size());
  server_ = std::make_unique<http::Server>(loops, *rest_, std::move(server), &problems_);
  if (auto listening = server_->listen(std::move(*sockets_)); !listening)
    return std::unexpected(address_.explain(listening.error()));
  log_info(
      "/healthz and /metrics are served on an address of their own",
      {{"address", address_.socket().family() == SocketAddress::Family::local ? address_.name() : url()}});
  if (!address_.socket().is_loopback())
    log_warn("/healthz and /metrics are open beyond this machine: let only operators reach them",
             {{"url", url()}});
  return {};
}

const std::string& Operations::url() const {
  return server_->urls().front();
}

void Operations::stop() {
  if (server_) server_->drain(kStopPatience);
  server_.reset();
  sockets_.reset();
}

// ---- Asking

namespace {

Async<http::ClientResponse> get(const OperationsAddress& address, std::string path) {
  http::ClientSettings settings;
  settings.host = "localhost";
  settings.connect_timeout = kAnswerPatience;
  settings.timeout = kAnswerPatience;
  http::Client client(address.socket(), std::move(settings));
  http::ClientResponse answer = co_await ok(client.get(std::move(path)));
  co_return answer;
}

}  // namespace

Result<http::ClientResponse> ask_operations(const HostSettings& settings, std::string_view path) {
  auto address = OperationsAddress::find(settings);
  if (!address) return std::unexpected(std::move(address.error()));
  const bool local = address->socket().family() == SocketAddress::Family::local;
  if (!local && address->socket().port() == 0)
    return fail(Category::invalid, "operations_address",
                "telemetry.listen has port 0, so the port is one that only the server and its log know.");
  Loop loop;
  auto answer = run_to_end(loop, get(*address, std::string(path)));
  if (!answer)
    return fail(Category::unavailable, "no_server",
                replace(answer.error().detail(), address->socket().to_string(), address->name()) +
                    " Does the server run, and " +
                    (settings.telemetry.listen.empty() ? "is --data (data.directory) its directory?"
                                                       : "is telemetry.listen that of the server?"));
  return answer;
}

}  // namespace bedplate::app
