// SPDX-License-Identifier: Apache-2.0
// GET /livez through everything but a database: routing, limits, request id, metrics, JSON.
//
//   taskset -c 0 ./rest_bench 18082 &                         # over sockets, as http_hello_bench
//   taskset -c 1 ./load --port 18082 --path /livez --conns 64 --secs 3 --pid $!
//   ./rest_bench --calls 1000000                              # without sockets: ns and allocations a call
//   valgrind --tool=callgrind ./rest_bench --calls 20000
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <string_view>

#include "bedplate/async/loop_group.h"
#include "bedplate/http/server.h"
#include "bedplate/surfaces/rest/health_routes.h"
#include "bedplate/surfaces/rest/problem.h"
#include "bedplate/surfaces/rest/rest.h"
#include "bedplate/telemetry/metrics.h"

namespace {
std::uint64_t allocations = 0;
}
void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace {

using namespace bedplate;

void call_in_process(api::Rest& rest, long calls) {
  http::Request request;
  http::Request::Parts parts;
  parts.target = "/livez";
  (void)request.assign(parts);
  http::Response response;
  for (int warm = 0; warm < 1000; ++warm) {
    response.clear();
    (void)rest.handle(request, response).run_without_waiting();
  }
  const std::uint64_t allocations_before = allocations;
  const auto start = std::chrono::steady_clock::now();
  for (long i = 0; i < calls; ++i) {
    response.clear();
    (void)rest.handle(request, response).run_without_waiting();
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  std::printf("%.1f ns, %.3f allocations a call; status %d, %zu bytes of fields\n",
              took.count() / static_cast<double>(calls),
              static_cast<double>(allocations - allocations_before) / static_cast<double>(calls),
              response.status(), response.field_lines().size());
}

int serve(api::Rest& rest, const std::string& port) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  LoopGroup loops(1);
  api::ServerProblems problems;
  http::Server server(loops, rest, {}, &problems);
  loops.start();
  if (auto listening = server.listen("127.0.0.1:" + port); !listening) {
    std::fprintf(stderr, "%s\n", listening.error().detail().c_str());
    return 1;
  }
  std::printf("%s\n", server.urls().front().c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  server.drain(std::chrono::seconds(1));
  loops.stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  telemetry::Registry metrics;
  telemetry::Health health;
  api::HealthRoutes routes(health, metrics);
  SystemClock clock;
  api::Rest::Parts parts;
  parts.clock = &clock;
  parts.metrics = &metrics;
  parts.rest.access_log = false;
  parts.rate_limit.enabled = std::getenv("RATE_LIMIT") != nullptr;
  parts.rate_limit.address_rate = 1e6;
  parts.rate_limit.address_burst = 1'000'000;
  std::vector<api::Api> apis;
  apis.push_back(routes.api());
  api::Executor::Parts execution;
  execution.clock = &clock;
  execution.rate_limit.enabled = parts.rate_limit.enabled;
  auto executor = api::Executor::make(std::move(apis), std::move(execution));
  if (!executor) {
    std::fprintf(stderr, "%s\n", executor.error().detail().c_str());
    return 1;
  }
  auto rest = api::Rest::make(**executor, parts);
  if (!rest) {
    std::fprintf(stderr, "%s\n", rest.error().detail().c_str());
    return 1;
  }
  if (argc > 2 && std::string_view(argv[1]) == "--calls")
    call_in_process(**rest, std::atol(argv[2]));
  else
    return serve(**rest, argc > 1 ? argv[1] : "18082");
}
