// SPDX-License-Identifier: Apache-2.0
// For this room's tests: a server on a loop of its own, a handler with a path for everything that is tested,
// and a client that writes raw bytes and reads raw answers, blocking, with a time limit on every wait.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <semaphore>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/loop_group.h"
#include "bedplate/http/server.h"

namespace bedplate::http {

/// GET /hello            "Hello"
/// /echo                 the whole body, as text/plain
/// /echo-stream          the body, piece by piece, as it comes
/// /ignore               answers without reading the body
/// /length               how many bytes the body had, read piece by piece
/// /big?n=1000           that many bytes
/// /stream?n=3           that many chunks, "part 0\n" and so on
/// /json?n=5000          compressible JSON of about that size, with an ETag
/// /static               a static body
/// /wait                 waits until cancelled or released
/// /fail                 ends in an error
/// /inject               tries to set a header with CR LF
/// anything else         404 with the path as body
class TestHandler final : public Handler {
 public:
  Async<void> handle(Request& request, Response& response) override;

  std::atomic<int> waiting{0};
  std::atomic<int> cancelled{0};
  std::atomic<int> timed_out{0};

 private:
  Async<void> wait(Request& request, Response& response);
  Async<void> count(Request& request, Response& response);
};

class TestServer {
 public:
  /// Time limits for the client that a test leaves as they are by default are none that a busy machine could reach.
  explicit TestServer(ServerSettings settings = {}, std::size_t loops = 1,
                      std::string_view address = "127.0.0.1:0");
  ~TestServer();

  int port() const { return port_; }
  Server& server() { return *server_; }
  TestHandler& handler() { return handler_; }
  /// Once: the destructor does it otherwise.
  bool drain(std::chrono::milliseconds timeout);

 private:
  LoopGroup loops_;
  TestHandler handler_;
  std::unique_ptr<Server> server_;
  int port_ = 0;
  bool drained_ = false;
};

/// A parsed answer.
struct Answer {
  int status = 0;
  std::string head;  ///< with the empty line
  std::string body;  ///< decoded from chunks
  bool whole = false;

  std::string field(std::string_view name) const;
};

class RawClient {
 public:
  explicit RawClient(int port);
  /// A Unix socket.
  explicit RawClient(const std::string& path);
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient();

  RawClient& send(std::string_view bytes);
  /// The server closed or reset the connection before all was sent.
  bool failed_to_send() const { return failed_to_send_; }
  void shutdown_write();
  /// A reset in place of an orderly end.
  void reset();
  /// Bytes until the other side closes; a failure when it says nothing for a minute.
  std::string read_to_end();
  /// Whether there is something to read, or the other side has closed, before this time is over.
  bool hears_within(std::chrono::milliseconds time) const;
  /// The next answer; `head_only`: it has no body (HEAD).
  Answer read_answer(bool head_only = false);
  /// The other side has closed and sent nothing more.
  bool closed_by_server();
  /// Bytes until `count` have come, or the other side closes.
  std::string read_some(std::size_t count);

 private:
  bool fill();
  int fd_ = -1;
  bool failed_to_send_ = false;
  std::string in_;
};

/// Sends `request` over a new connection, reads everything until the server closes.
std::string exchange(int port, std::string_view request);
/// "HTTP/1.1 400 ..." gives 400; 0 when it is no answer.
int status_of(std::string_view answer);
/// How many answers are in there.
std::size_t count_answers(std::string_view bytes);

}  // namespace bedplate::http
