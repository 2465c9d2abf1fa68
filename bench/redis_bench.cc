// SPDX-License-Identifier: Apache-2.0
// Pipelined GETs through our Redis client: one loop, one connection, so many callers that wait for an answer each.
//
//   redis_bench URL CALLERS GETS      prints {"rps": ...}
//
// bench/cases.py runs it in turns with `redis-benchmark -c 1 -P CALLERS`, which is what the wire and the server allow.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "bedplate/async/loop.h"
#include "bedplate/redis/client.h"

namespace {

using namespace bedplate;

constexpr std::string_view kKey = "bench:key";
constexpr std::size_t kValueSize = 100;

struct Run {
  redis::Client& client;
  long left;
  long callers;
};

[[noreturn]] void die(const Error& error) {
  std::fprintf(stderr, "redis_bench: %s\n", error.detail().c_str());
  std::exit(1);
}

Async<void> caller(Run& run) {
  while (run.left-- > 0) {
    redis::Command get("GET", kKey);
    Result<redis::Reply> reply = co_await run.client.call(std::move(get));
    if (!reply) die(reply.error());
    if (reply->text.size() != kValueSize) std::abort();
  }
  if (--run.callers == 0) Loop::current()->stop();
}

Async<void> put(redis::Client& client) {
  redis::Command set("SET", kKey, std::string(kValueSize, 'v'));
  Result<redis::Reply> reply = co_await client.call(std::move(set));
  if (!reply) die(reply.error());
  Loop::current()->stop();
}

long number(std::string_view text) {
  long value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  Result<redis::Options> options = redis::Options::from_url(argv[1]);
  if (!options) die(options.error());
  options->call_timeout = std::chrono::seconds(10);
  auto client = redis::Client::make(std::move(*options));
  if (!client) die(client.error());
  Loop loop;
  loop.spawn(put(**client));
  loop.run();
  Run run{**client, number(argv[3]), number(argv[2])};
  for (long i = run.callers; i > 0; --i) loop.spawn(caller(run));
  const auto began = std::chrono::steady_clock::now();
  loop.run();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("{\"rps\": %.0f}\n", static_cast<double>(number(argv[3])) / took.count());
  std::fflush(stdout);
  std::_Exit(0);  // the loop has stopped, and a client is closed while it runs
}
