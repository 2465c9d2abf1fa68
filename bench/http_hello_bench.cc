// SPDX-License-Identifier: Apache-2.0
// The HTTP server alone: one loop and a handler that answers the same 27 bytes as raw_limit. What it costs
// beyond raw_limit is what http/ and async/ cost; what GET /livez costs beyond it is api/.
//
//   taskset -c 0 ./http_hello_bench 18081 &
//   taskset -c 1 ./load --port 18081 --path /json --conns 64 --secs 3 --pid $!
#include <csignal>
#include <cstdio>
#include <string>

#include "bedplate/async/loop_group.h"
#include "bedplate/http/server.h"

namespace {

class Hello final : public bedplate::http::Handler {
  bedplate::Async<void> handle(bedplate::http::Request& request,
                               bedplate::http::Response& response) override {
    if (request.path() != "/json") {
      response.set_status(404);
      co_return;
    }
    response.set_field(bedplate::http::FieldId::content_type, "application/json");
    response.body().append(R"({"message":"Hello, World!"})");
  }
};

}  // namespace

int main(int argc, char** argv) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  bedplate::LoopGroup loops(1);
  Hello hello;
  bedplate::http::Server server(loops, hello, {});
  loops.start();
  const std::string address = std::string("127.0.0.1:") + (argc > 1 ? argv[1] : "18081");
  if (auto listening = server.listen(address); !listening) {
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
