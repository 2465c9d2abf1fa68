// SPDX-License-Identifier: Apache-2.0
// A blocking HTTP/1.1 client for tests. It shares no code with the server, so a mistake in one does not hide in the
// other; it can also send what no proper client would.
//
//   HttpConnection http(url);
//   HttpResponse made = http.post("/v1/tasks", R"({"title":"Buy milk"})", {{"Authorization", "Bearer " + token}});
//   EXPECT_EQ(made.status, 201);
//
//   http.send("GET / HTTP/1.1\r\nHost : x\r\n\r\n");       // bytes as they are
//   EXPECT_EQ(http.receive().status, 400);
//   EXPECT_TRUE(http.closed_by_server());
//
// Every wait has a limit, after which the call reports status 0 and what had come as body.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bedplate::testing {

using HttpFields = std::vector<std::pair<std::string, std::string>>;

struct HttpResponse {
  int status = 0;  ///< 0: no whole answer came
  std::string reason;
  HttpFields fields;  ///< as received
  std::string body;   ///< without its framing
  HttpFields trailers;

  /// The first field of that name, in any case; empty when there is none.
  std::string field(std::string_view name) const;
  bool has_field(std::string_view name) const;
};

class HttpConnection {
 public:
  /// "http://127.0.0.1:8080", "http://[::1]:8080", or "http+unix://%2Frun%2Fx.sock" as the server prints it. Aborts
  /// when it cannot connect.
  explicit HttpConnection(std::string url);
  /// Whether somebody accepts connections there.
  static bool can_connect(const std::string& url);
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;
  ~HttpConnection();

  /// How long one receive() waits. Default a minute.
  void set_patience(std::chrono::milliseconds patience) { patience_ = patience; }

  /// One request and its answer. Adds Host, and Content-Length when there is a body; connects anew when the server has
  /// closed the connection since, and reports status 0 when it cannot.
  HttpResponse request(std::string_view method, std::string_view target, const HttpFields& fields = {},
                       std::string_view body = {});
  HttpResponse get(std::string_view target, const HttpFields& fields = {}) {
    return request("GET", target, fields);
  }
  /// With Content-Type: application/json, unless the fields say otherwise.
  HttpResponse post(std::string_view target, std::string_view json, HttpFields fields = {});

  /// Sends bytes as they are. False: the server has closed.
  bool send(std::string_view bytes);
  /// Reads one whole answer. `head`: it answers a HEAD request, so no body follows.
  HttpResponse receive(bool head = false);
  /// Waits for the server to close. False: it sent something more, or did not close in time.
  bool closed_by_server();
  /// Half-closes: the server sees the end of the stream.
  void finish_sending();
  /// Resets the connection (RST), as a client that crashed.
  void abort();

  const std::string& host() const { return host_; }

 private:
  bool connect();
  void close();
  /// Reads more into buffer_. False: end, error, or out of patience.
  bool fill(std::chrono::steady_clock::time_point deadline);
  bool fill_until(std::string_view mark, std::size_t& at, std::chrono::steady_clock::time_point deadline);
  bool take_chunked(HttpResponse& response, std::chrono::steady_clock::time_point deadline);
  bool take_line(std::string& line, std::chrono::steady_clock::time_point deadline);

  std::string url_;
  std::string host_;
  int fd_ = -1;
  bool at_end_ = false;
  std::string buffer_;
  std::chrono::milliseconds patience_{60'000};
};

}  // namespace bedplate::testing
