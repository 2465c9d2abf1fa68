// SPDX-License-Identifier: Apache-2.0
// A whole connection: any bytes over a real socket, cut where a byte of 0xff stands, into a real server. Whatever
// comes, the server answers with well-formed heads, closes, and leaks nothing.
#include <sys/socket.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "bedplate/async/loop.h"
#include "bedplate/http/connection.h"

using namespace bedplate;
using namespace bedplate::http;

namespace {

class Echo final : public Handler {
  Async<void> handle(Request& request, Response& response) override {
    response.set_field(FieldId::content_type, "text/plain");
    if (request.method() != Method::post) {
      response.body().append(request.path());
      co_return;
    }
    std::string_view body = co_await ok(request.body());
    response.body().append(body);
  }
};

// Writes the input, then ends its direction and reads everything until the server closes.
Async<std::string> talk(Stream& stream, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t cut = std::min(bytes.find('\xff'), bytes.size());
    Result<void> sent = co_await stream.write_all(bytes.substr(0, cut));
    bytes.remove_prefix(std::min(cut + 1, bytes.size()));
    if (!sent) break;
  }
  stream.shutdown_write();
  std::string answers;
  char buffer[4096];
  for (;;) {
    Result<std::size_t> size = co_await stream.read(buffer);
    if (!size || *size == 0) break;
    answers.append(buffer, *size);
  }
  stream.close();
  co_return answers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static Loop loop;
  static Echo echo;
  static ProblemWriter problems;
  static ServerCore core(echo, problems, ServerSettings());
  static Shard shard(loop, core);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) std::abort();
  Result<Stream> server = Stream::adopt(loop, ends[0], {});
  Result<Stream> client = Stream::adopt(loop, ends[1], {});
  if (!server || !client) std::abort();
  Connection::start(shard, std::move(*server));
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Result<std::string> answers = run_to_end(loop, talk(*client, bytes));
  if (!answers || (!answers->empty() && !answers->starts_with("HTTP/1.1 "))) std::abort();
  return 0;
}
