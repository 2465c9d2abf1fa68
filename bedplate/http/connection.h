// SPDX-License-Identifier: Apache-2.0
// One client's connection: reads requests, calls the handler, writes answers, until it closes. Internal to
// the server.
//
// The steady state is one coroutine (run()) and, while a request is handled, the handler's own: one read and
// one write for a batch of requests, no allocation. Everything that is rarer stands in coroutines of its own.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "bedplate/async/stream.h"
#include "bedplate/async/timer.h"
#include "bedplate/http/message/chunked.h"
#include "bedplate/http/message/framing.h"
#include "bedplate/http/message/message.h"
#include "bedplate/http/shard.h"

namespace bedplate::http {

/// Received bytes that are not used yet. What was used stays in place until the request it belongs to has
/// ended.
class InputBuffer {
 public:
  std::string_view unread() const { return {data_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  void consume(std::size_t size) { begin_ += size; }
  /// Room to read into, at least kReadMin; moves what is unread to the front: no view may be in use.
  std::span<char> room();
  void received(std::size_t size) { end_ += size; }
  /// Appends bytes that were read elsewhere. No view may be in use.
  void append(std::string_view bytes);
  /// Used bytes are forgotten; gives memory back that a large head took.
  void rewind();

 private:
  static constexpr std::size_t kInitial = 4096;
  static constexpr std::size_t kKept = 16 * 1024;
  static constexpr std::size_t kReadMin = 1024;
  void reserve(std::size_t free_size);

  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

class Connection final : private BodyReader, private CoarseTimer {
 public:
  Connection(Shard& shard, Stream stream);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() override;

  /// Runs it to its end.
  static void start(Shard& shard, Stream stream);

  /// Between requests, with nothing received: closes. Else lets the request at hand end; a head that is not whole
  /// has a second for the rest.
  void drain();
  /// Ends everything that waits.
  void cut_off();

 private:
  friend class Shard;
  struct HandlerCall;

  static Async<void> serve(std::unique_ptr<Connection> connection);
  Async<void> run();

  // Receiving.
  HeadParse parse_buffered();
  void wait_for_bytes();
  bool take_received(const Result<std::size_t>& size);
  const Rejection* begin_request(std::size_t head_size);
  void refuse(const Rejection& rejection);

  // The body.
  Async<std::string_view> read() override;
  Async<std::string_view> read_all(std::size_t size_max) override;
  std::string_view buffered_body() const;
  std::string_view take_piece();
  Async<void> fill_body();
  Result<void> account_body(const Result<std::size_t>& size, Loop::TimePoint began);
  bool can_skip_body();
  Async<void> skip_body();
  void leave_body();

  // Answering.
  void handler_waits();
  static void check_on_handler(CoarseTimer& timer);
  void conclude(Result<void>& handled);
  void write_problem(int status, std::string_view code, std::string_view detail);
  void prepare_answer();
  void compress_body(Coding coding);
  void append_answer();
  Async<void> send_large_body();
  Async<void> stream_body();
  Async<void> send_piece(std::string_view piece);
  Async<void> flush();
  Async<void> end();
  std::chrono::milliseconds linger_time() const;

  Shard& shard_;
  ServerCore& core_;
  Stream stream_;
  Scope scope_;
  Connection* next_ = nullptr;  // of the shard's list
  Connection* previous_ = nullptr;

  InputBuffer input_;
  Buffer out_;
  Request request_;
  Response response_;
  Framing framing_;
  AnswerFraming answer_;
  std::string_view body_to_send_;
  std::unique_ptr<Encoder> encoder_;  // of a streamed body
  Buffer coded_;
  std::array<std::string_view, 3> parts_;
  std::string peer_address_;

  std::uint64_t requests_ = 0;
  bool idle_ = false;  // waits for the first byte of a request
  bool worth_parsing_ = true;
  bool head_pending_ = false;  // part of a head is there, its deadline runs
  bool close_ = false;         // after what is in out_
  bool linger_ = false;        // unread bytes may be on their way: see Stream::close_gently()
  bool abort_ = false;         // nothing more is sent
  bool in_handler_ = false;

  // The body of the request at hand.
  bool body_done_ = true;
  bool expects_continue_ = false;
  bool body_failed_ = false;
  bool waits_for_body_ = false;
  std::uint64_t body_left_ = 0;
  std::uint64_t body_received_ = 0;
  std::chrono::nanoseconds body_waited_{0};
  ChunkedDecoder chunks_;
  std::unique_ptr<char[]> body_buffer_;
  std::size_t body_begin_ = 0;
  std::size_t body_end_ = 0;
  Buffer whole_body_;
};

}  // namespace bedplate::http
