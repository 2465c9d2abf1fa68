// SPDX-License-Identifier: Apache-2.0
// What stands behind a Client: libcurl's multi interface on a loop. For the sources of this folder only.
//
// libcurl says which descriptors to watch and when to call it again (Driver); each exchange is an easy handle
// (Transfer).
// libcurl may not be called from its own callbacks, so these resume no coroutine: they note what happened, and whoever
// waits goes on later in the turn.
#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "bedplate/async/address.h"
#include "bedplate/async/async.h"
#include "bedplate/async/loop.h"
#include "bedplate/async/timer.h"
#include "bedplate/http/message/response_head.h"
#include "bedplate/telemetry/metrics.h"

namespace bedplate::outbound::detail {

class Transfer;

struct DriverOptions {
  long connections_max = 256;
  long idle_max = 64;
  bool multiplex = true;  ///< several exchanges at once on one HTTP/2 connection
  telemetry::UpDownCounter connections;
};

/// One multi handle: its connections are its own. Outlives its transfers, and ends before the loop.
class Driver {
 public:
  Driver(Loop& loop, DriverOptions options);
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  ~Driver();

  Loop& loop() const { return loop_; }

 private:
  friend class Transfer;
  struct Watch;
  struct Timer : PreciseTimer {
    Timer(Loop& loop, Driver& owner);
    Driver& driver;
  };

  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* watch);
  static int on_timer(CURLM* multi, long after_ms, void* self);
  static int on_close(void* self, curl_socket_t fd);
  void act(curl_socket_t fd, int events);

  Loop& loop_;
  const DriverOptions options_;
  Timer timer_;
  CURLM* multi_;
};

struct TransferLimits {
  Loop::TimePoint deadline = Loop::TimePoint::max();
  std::chrono::milliseconds first_byte{0};
  std::chrono::milliseconds idle{0};
  std::size_t header_size_max = 64 * 1024;
  std::size_t header_count_max = 200;
  std::uint64_t body_size_max = 0;
  bool whole = true;  ///< the answer is kept until it is complete; else its sender waits until it is read
};

enum class Failure : std::uint8_t {
  none,
  deadline,
  first_byte,
  idle,
  body_too_large,
  head_too_large,
  bad_head,
  address_refused
};

enum class Until : std::uint8_t { head, readable, body_wanted, done };

/// What Transfer::wait() gives: await it. Cancelled: the exchange is ended at once.
class [[nodiscard]] TransferWait : public Op {
 public:
  using Value = void;

  TransferWait(Transfer& transfer, Until until) : transfer_(transfer), until_(until) {}
  bool await_ready() const;
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    if (!wait(h)) return false;
    start();
    return true;
  }
  [[nodiscard]] Result<void> await_resume() {
    if (error) return std::unexpected(std::move(*error));
    return {};
  }

 private:
  friend class Transfer;
  void start();

  Transfer& transfer_;
  const Until until_;
};

/// One exchange. Set options on easy(), then start(). Destroying it ends it at once.
class Transfer {
 public:
  Transfer(Driver& driver, TransferLimits limits);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer();

  CURL* easy() const { return easy_; }
  /// Judges each address when its socket is opened.
  void use_judge(bool (*judge)(const SocketAddress&)) { judge_ = judge; }
  /// The whole body to send, which outlives this; `again`: it may be sent a second time.
  void send_body(std::string_view body, bool again);
  /// A body that comes in pieces: wait for body_wanted, push(), until finish_body().
  void stream_body(std::int64_t size_or_unknown);
  void push(std::string_view piece);
  void finish_body();
  void add_header(const std::string& line);
  void start();
  /// Ends it now.
  void stop();

  /// One coroutine at a time.
  TransferWait wait(Until until) { return TransferWait(*this, until); }
  bool is(Until until) const;
  /// Cancelled when the exchange ends: what the sender of a body waits for.
  void cancel_at_end(Scope* scope) { at_end_ = scope; }

  bool done() const { return done_; }
  bool connected() const { return connected_; }
  bool head_complete() const { return head_complete_; }
  CURLcode code() const { return code_; }
  Failure failure() const { return failure_; }
  std::string_view message() const { return message_.data(); }
  http::ResponseHead& head() { return head_; }
  /// What has come and was not taken; lets the sender go on.
  std::string take();

 private:
  friend class Driver;
  friend class TransferWait;

  struct Timer : CoarseTimer {
    explicit Timer(Transfer& owner);
    Transfer& transfer;
  };
  static std::size_t on_header(char* data, std::size_t one, std::size_t size, void* self);
  static std::size_t on_write(char* data, std::size_t one, std::size_t size, void* self);
  static std::size_t on_read(char* out, std::size_t one, std::size_t size, void* self);
  static int on_seek(void* self, curl_off_t offset, int origin);
  static int on_request(void* self, char*, char*, int, int);
  static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address);

  bool take_header(std::string_view line);
  void finished(CURLcode code);
  void fail(Failure failure);
  void end();
  void signal();
  void resume_curl();
  void active() { last_active_ = driver_.loop().now(); }
  Loop::TimePoint next_limit() const;
  void watch_time();

  Driver& driver_;
  const TransferLimits limits_;
  CURL* easy_;
  curl_slist* headers_ = nullptr;
  Timer timer_;
  TransferWait* waiter_ = nullptr;
  Scope* at_end_ = nullptr;
  bool (*judge_)(const SocketAddress&) = nullptr;

  bool running_ = false;
  bool done_ = false;
  bool connected_ = false;
  bool head_complete_ = false;
  bool paused_in_ = false;
  bool paused_out_ = false;
  bool body_complete_ = true;
  bool may_send_again_ = false;
  bool whole_body_ = false;
  CURLcode code_ = CURLE_OK;
  Failure failure_ = Failure::none;
  Loop::TimePoint last_active_;
  std::string_view out_;
  std::size_t out_sent_ = 0;
  std::string in_;
  std::size_t head_size_ = 0;
  http::ResponseHead head_;
  std::array<char, CURL_ERROR_SIZE> message_{};
};

/// curl_easy_setopt() with a value of the type that the option takes.
template <class T>
void set(CURL* easy, CURLoption option, T value) {
  curl_easy_setopt(easy, option, value);
}

}  // namespace bedplate::outbound::detail
