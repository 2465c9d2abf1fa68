// SPDX-License-Identifier: Apache-2.0
// The body side of a connection: receiving a request's body on demand, and sending an answer's body as it is
// made.
#include <algorithm>
#include <utility>

#include "bedplate/http/connection.h"

namespace bedplate::http {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kBodyBufferSize = 64 * 1024;
constexpr std::size_t kSkippedBodyMax = 64 * 1024;  // an unread rest larger than this costs the connection
constexpr std::size_t kKeptWholeBody = 64 * 1024;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace

// ---- Receiving

std::string_view Connection::buffered_body() const {
  if (!input_.empty()) return input_.unread();
  return {body_buffer_.get() + body_begin_, body_end_ - body_begin_};
}

// The next piece out of what is buffered; empty: more must be read, or the body is over, or its chunks are
// bad.
std::string_view Connection::take_piece() {
  const std::string_view raw = buffered_body();
  if (raw.empty() || body_done_) return {};
  expects_continue_ = false;
  std::string_view rest = raw;
  std::string_view piece;
  if (framing_.body == BodyKind::sized) {
    piece = raw.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, raw.size())));
    rest.remove_prefix(piece.size());
    body_left_ -= piece.size();
    body_done_ = body_left_ == 0;
  } else {
    piece = chunks_.next(rest);
    body_done_ = chunks_.done();
  }
  const std::size_t used = raw.size() - rest.size();
  if (!input_.empty())
    input_.consume(used);
  else
    body_begin_ += used;
  return piece;
}

Async<std::string_view> Connection::read() {
  while (!body_done_) {
    const std::string_view piece = take_piece();
    if (!piece.empty()) co_return piece;
    if (chunks_.failed()) {
      body_failed_ = true;
      co_return fail(Category::malformed, "bad_chunk", "The chunked body is not valid.");
    }
    if (!body_done_) co_await ok(fill_body());
  }
  co_return std::string_view();
}

Async<std::string_view> Connection::read_all(std::size_t size_max) {
  if (framing_.body == BodyKind::sized && buffered_body().size() >= body_left_ && body_left_ <= size_max)
    co_return take_piece();
  whole_body_.clear();
  for (;;) {
    const std::string_view piece = co_await ok(read());
    if (piece.empty()) co_return whole_body_.view();
    if (whole_body_.size() + piece.size() > size_max)
      co_return fail(Category::too_large, "body_too_large",
                     "The body is larger than " + std::to_string(size_max) + " bytes.");
    whole_body_.append(piece);
  }
}

Async<void> Connection::fill_body() {
  if (std::exchange(expects_continue_, false)) out_.append(kContinue);
  // Answers of requests before this one do not wait for a client that may wait for them.
  if (!out_.empty()) {
    co_await ok(flush());
    if (abort_) co_await fail(Category::cancelled, "connection_closed", "The connection was closed.");
  }
  if (!body_buffer_) body_buffer_.reset(new char[kBodyBufferSize]);
  body_begin_ = body_end_ = 0;
  std::size_t wanted = kBodyBufferSize;
  if (framing_.body == BodyKind::sized)
    wanted = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, body_left_));
  stream_.set_idle_timeout(milliseconds(core_.settings.body_timeout_ms));
  waits_for_body_ = true;
  const Loop::TimePoint began = loop().now();
  Result<std::size_t> size = co_await stream_.read(std::span(body_buffer_.get(), wanted));
  waits_for_body_ = false;
  stream_.set_idle_timeout(milliseconds(core_.settings.idle_timeout_ms));
  body_failed_ = true;
  co_await ok(account_body(size, began));
  body_failed_ = false;
}

// The time a client takes counts against the client: not against the handler's deadline, but against the
// least rate.
Result<void> Connection::account_body(const Result<std::size_t>& size, Loop::TimePoint began) {
  const auto waited = loop().now() - began;
  body_waited_ += waited;
  if (scope_.deadline() != Scope::TimePoint::max()) scope_.set_deadline(scope_.deadline() + waited);
  if (!size) {
    if (size.error().category() == Category::request_timeout)
      return fail(Category::request_timeout, "body_timeout", "The body did not arrive in time.");
    return std::unexpected(size.error().clone());
  }
  if (*size == 0)
    return fail(Category::malformed, "incomplete_body", "The connection ended inside the body.");
  body_end_ = *size;
  body_received_ += *size;
  shard_.bytes_in.add(*size);
  const auto& settings = core_.settings;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(body_waited_).count();
  const bool rated = settings.body_timeout_ms != 0 && body_waited_ >= milliseconds(settings.body_timeout_ms);
  if (rated && body_received_ < settings.body_rate_min_bytes * static_cast<std::uint64_t>(seconds))
    return fail(Category::request_timeout, "body_timeout", "The body arrives too slowly.");
  return {};
}

// May the rest of the body be read and dropped, so that the connection can stay? Drops what is here already.
bool Connection::can_skip_body() {
  if (body_failed_) return false;
  while (!take_piece().empty()) {
  }
  if (body_done_) return true;
  return framing_.body == BodyKind::sized && !expects_continue_ && body_left_ <= kSkippedBodyMax;
}

Async<void> Connection::skip_body() {
  if (close_) co_return;
  while (!body_done_) {
    Result<std::string_view> piece = co_await read();
    if (piece) continue;
    close_ = true;
    co_return;
  }
}

// The request has ended: what follows its body is the next one.
void Connection::leave_body() {
  if (body_end_ != body_begin_) input_.append({body_buffer_.get() + body_begin_, body_end_ - body_begin_});
  body_begin_ = body_end_ = 0;
  if (body_buffer_) body_buffer_.reset();
  if (whole_body_.capacity() > kKeptWholeBody) whole_body_.shrink_to(kKeptWholeBody);
}

// ---- Sending

Async<void> Connection::stream_body() {
  in_handler_ = true;  // so that a client that goes away is noticed while the source waits
  arm(milliseconds(1000));
  co_await ok(flush());
  stream_.set_idle_timeout(milliseconds(core_.settings.write_timeout_ms));
  std::uint64_t size = 0;
  while (!abort_) {
    Result<std::string_view> piece = co_await response_.body_source()->next();
    if (!piece) abort_ = true;
    if (!piece || piece->empty()) break;
    size += piece->size();
    if (answer_.length == AnswerLength::sized && size > answer_.size) abort_ = true;
    if (!abort_) co_await ok(send_piece(*piece));
  }
  in_handler_ = false;
  disarm();
  if (answer_.length == AnswerLength::sized && size != answer_.size) abort_ = true;
  if (!abort_) co_await ok(send_piece(std::string_view()));
  if (!abort_ && answer_.length == AnswerLength::chunked) out_.append(kLastChunk);
  shard_.encoders.give_back(std::move(encoder_));
  response_.body_source_.reset();
  coded_.shrink_to(0);
  stream_.set_idle_timeout(milliseconds(core_.settings.idle_timeout_ms));
}

// Empty: the end of the stream.
Async<void> Connection::send_piece(std::string_view piece) {
  if (encoder_) {
    const auto flush_mode = piece.empty() ? Encoder::Flush::end : Encoder::Flush::sync;
    coded_.clear();
    if (!encoder_->encode(piece, flush_mode, coded_)) {
      encoder_.reset();
      abort_ = true;
      co_return;
    }
    piece = coded_.view();
  }
  if (piece.empty()) co_return;
  char head[kChunkHeadSizeMax];
  if (answer_.length == AnswerLength::chunked) {
    parts_ = {std::string_view(head, static_cast<std::size_t>(write_chunk_head(head, piece.size()) - head)),
              piece, "\r\n"};
  } else {
    parts_ = {piece, {}, {}};
  }
  Result<void> sent = co_await stream_.write_all(std::span<const std::string_view>(parts_));
  shard_.bytes_out.add(parts_[0].size() + parts_[1].size() + parts_[2].size());
  if (!sent) abort_ = true;
}

}  // namespace bedplate::http
