// SPDX-License-Identifier: Apache-2.0
#include "bedplate/http/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "bedplate/base/log.h"

namespace bedplate::http {
namespace {

using std::chrono::milliseconds;

constexpr Rejection kHeadTooSlow = {408, "request_timeout", "The request's header did not arrive in time."};
constexpr Rejection kWrongHost = {421, "host_not_allowed", "This server does not answer for that host."};

constexpr std::size_t kShortHead = 512;            // bytes; is read again whenever some of it arrive
constexpr std::size_t kFlushSize = 64 * 1024;      // answers of a batch are written when they reach this
constexpr std::size_t kCopiedBodyMax = 16 * 1024;  // larger bodies are sent from where they are
constexpr std::size_t kKeptOutput = 64 * 1024;
constexpr milliseconds kCheckInterval{1000};
constexpr milliseconds kDrainPatience{
    500};  // for the first request of a connection made while draining began
constexpr milliseconds kDrainHeadPatience{1000};  // for the rest of a head that has begun when draining does
constexpr std::size_t kLingerSizeMax = std::size_t{1} << 30;  // what bounds it in practice is the time

}  // namespace

// ---- InputBuffer

void InputBuffer::reserve(std::size_t free_size) {
  if (capacity_ - end_ >= free_size) return;
  const std::size_t used = end_ - begin_;
  if (capacity_ - used < free_size) {
    capacity_ = std::max({kInitial, capacity_ * 2, used + free_size});
    std::unique_ptr<char[]> grown(new char[capacity_]);
    if (used != 0) std::memcpy(grown.get(), data_.get() + begin_, used);
    data_ = std::move(grown);
  } else if (used != 0) {
    std::memmove(data_.get(), data_.get() + begin_, used);
  }
  begin_ = 0;
  end_ = used;
}

std::span<char> InputBuffer::room() {
  reserve(kReadMin);
  return {data_.get() + end_, capacity_ - end_};
}

void InputBuffer::append(std::string_view bytes) {
  reserve(bytes.size());
  std::memcpy(data_.get() + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
}

void InputBuffer::rewind() {
  if (begin_ != end_) return;
  begin_ = end_ = 0;
  if (capacity_ <= kKept) return;
  data_.reset();
  capacity_ = 0;
}

// ---- Connection

// Awaits the handler, and tells the connection when the handler had to wait: what is only for requests that
// last longer than an instant costs the others nothing.
struct Connection::HandlerCall {
  HandlerCall(Connection& c, Async<void>&& call)
      : connection(c), child(std::move(call)), inner(std::move(child).operator co_await()) {}

  bool await_ready() noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> parent) {
    const bool waits = inner.await_suspend(parent);
    if (waits) connection.handler_waits();
    return waits;
  }
  [[nodiscard]] Result<void> await_resume() { return inner.await_resume(); }

  Connection& connection;
  Async<void> child;
  detail::ResultAwaiter<void> inner;
};

Connection::Connection(Shard& shard, Stream stream)
    : CoarseTimer(shard.loop, &Connection::check_on_handler),
      shard_(shard),
      core_(shard.core),
      stream_(std::move(stream)),
      peer_address_(stream_.peer().host()) {
  if (stream_.peer().family() == SocketAddress::Family::local) peer_address_ = "unix";
  request_.scope_ = &scope_;
  request_.peer_address_ = peer_address_;
  request_.trusted_proxies_ = &core_.trusted_proxies;
  shard_.add(*this);
}

Connection::~Connection() {
  shard_.remove(*this);
}

void Connection::start(Shard& shard, Stream stream) {
  auto connection = std::make_unique<Connection>(shard, std::move(stream));
  Scope* scope = &connection->scope_;
  serve(std::move(connection)).detach(scope);
}

Async<void> Connection::serve(std::unique_ptr<Connection> connection) {
  Result<void> ran = co_await connection->run();
  if (!ran) connection->abort_ = true;  // a bug: logged where it was thrown
  Result<void> ended = co_await connection->end();
  if (!ended) connection->stream_.close();
}

Async<void> Connection::run() {
  const auto& settings = core_.settings;
  stream_.cancel_when_gone(&scope_);
  stream_.set_idle_timeout(milliseconds(settings.idle_timeout_ms));
  for (;;) {
    const HeadParse parse = parse_buffered();
    if (parse.state == ParseState::incomplete) {
      if (!out_.empty()) {
        Result<void> sent = co_await stream_.write_all(out_.view());
        shard_.bytes_out.add(out_.size());
        out_.shrink_to(kKeptOutput);
        if (!sent) co_return;
      }
      if (requests_ != 0 && input_.empty() && core_.draining.load(std::memory_order_relaxed)) co_return;
      wait_for_bytes();
      Result<std::size_t> size = co_await stream_.read(input_.room());
      if (!take_received(size)) co_return;
      continue;
    }
    const Rejection* rejection = parse.state == ParseState::bad ? parse.rejection : begin_request(parse.size);
    if (rejection) {
      refuse(*rejection);
      co_return;
    }
    Result<void> handled = co_await HandlerCall(*this, core_.handler.handle(request_, response_));
    conclude(handled);
    if (abort_) co_return;
    append_answer();
    if (!body_to_send_.empty()) co_await ok(send_large_body());
    if (response_.body_source()) co_await ok(stream_body());
    if (abort_) co_return;
    if (framing_.body != BodyKind::none) {
      if (!body_done_) co_await ok(skip_body());
      leave_body();
    }
    if (close_ || abort_) co_return;
    if (out_.size() < kFlushSize) continue;
    co_await ok(flush());
    if (abort_) co_return;
  }
}

Async<void> Connection::end() {
  disarm();
  if (abort_ || scope_.cancelled()) {
    stream_.close();
    co_return;
  }
  if (!out_.empty()) co_await ok(flush());
  const bool all_read = input_.empty() && body_done_;
  if (linger_ || !all_read) co_await ok(stream_.close_gently(linger_time(), kLingerSizeMax));
  stream_.close();
}

// A refused client has sent more than was read. Until it has heard why, all of that is read and dropped: unread
// bytes would make the kernel reset the connection, and with it the answer. Who let a head hang during a
// shutdown is not waited for that long.
milliseconds Connection::linger_time() const {
  const milliseconds linger(core_.settings.linger_timeout_ms);
  const bool draining = core_.draining.load(std::memory_order_relaxed);
  return draining && head_pending_ ? std::min(linger, kDrainHeadPatience) : linger;
}

Async<void> Connection::flush() {
  shard_.bytes_out.add(out_.size());
  Result<void> sent = co_await stream_.write_all(out_.view());
  out_.shrink_to(kKeptOutput);
  if (!sent) abort_ = true;
}

// ---- Receiving

HeadParse Connection::parse_buffered() {
  if (input_.empty()) return {ParseState::incomplete};
  // A head that comes in pieces is read again from its beginning, but only when a line has ended: how often a
  // client can make us do that is bounded by the number of lines.
  if (!worth_parsing_) return {ParseState::incomplete};
  return parse_head(input_.unread(), core_.head_limits, request_.head_);
}

void Connection::wait_for_bytes() {
  idle_ = input_.empty();
  if (idle_) input_.rewind();
  // A new connection has the time of a header to say something; one that is kept may idle for longer.
  if (head_pending_ || (idle_ && requests_ != 0)) return;
  head_pending_ = true;
  const bool draining = core_.draining.load(std::memory_order_relaxed);
  if (draining)
    stream_.set_deadline(idle_ ? kDrainPatience : kDrainHeadPatience);
  else if (core_.settings.header_timeout_ms != 0)
    stream_.set_deadline(milliseconds(core_.settings.header_timeout_ms));
}

bool Connection::take_received(const Result<std::size_t>& size) {
  const bool was_idle = std::exchange(idle_, false);
  if (!size) {
    if (size.error().category() == Category::request_timeout && !was_idle)
      refuse(kHeadTooSlow);
    else
      abort_ = true;
    return false;
  }
  if (*size == 0) {
    // The end of a half request is answered by nothing: nobody can tell what it was.
    abort_ = true;
    return false;
  }
  const std::string_view before = input_.unread();
  input_.received(*size);
  const std::string_view all = input_.unread();
  worth_parsing_ = before.empty() || all.size() <= kShortHead ||
                   all.size() > core_.head_limits.request_line_size_max ||
                   std::memchr(all.data() + before.size(), '\n', *size) != nullptr;
  shard_.bytes_in.add(*size);
  return true;
}

const Rejection* Connection::begin_request(std::size_t head_size) {
  input_.consume(head_size);
  if (head_pending_) {
    head_pending_ = false;
    stream_.clear_deadline();
  }
  ++requests_;
  request_.clear();
  response_.clear();
  if (const Rejection* rejection = request_.interpret_head(framing_)) return rejection;
  if (!core_.settings.allowed_hosts.empty() && !core_.allows_host(request_.authority())) return &kWrongHost;

  request_.body_size_max_ = core_.settings.body_size_max;
  body_done_ = framing_.body == BodyKind::none;
  expects_continue_ = framing_.expects_continue;
  if (!body_done_) {
    request_.body_reader_ = this;
    body_left_ = framing_.size;
    body_received_ = 0;
    body_waited_ = {};
    body_failed_ = false;
    chunks_.reset();
  }
  if (core_.settings.request_timeout_ms != 0)
    scope_.set_deadline(loop().now() + milliseconds(core_.settings.request_timeout_ms));
  shard_.requests.add(1);
  in_handler_ = true;
  return nullptr;
}

void Connection::refuse(const Rejection& rejection) {
  shard_.bad_requests.add(1);
  stream_.clear_deadline();
  framing_ = Framing();
  framing_.keep_alive = false;
  request_.method_ = Method::other;
  body_done_ = true;
  write_problem(rejection.status, rejection.code, rejection.detail);
  close_ = linger_ = true;
  answer_ = {AnswerLength::sized, response_.body().size(), true, false};
  append_answer_head(out_, response_, shard_.date.now(), answer_);
  out_.append(response_.body().view());
}

// ---- Answering

void Connection::handler_waits() {
  const auto left = scope_.deadline() - loop().now();
  arm(std::clamp(std::chrono::ceil<milliseconds>(left), milliseconds(1), kCheckInterval));
}

// A handler has waited for a while: is its client still there, is there time left?
void Connection::check_on_handler(CoarseTimer& timer) {
  auto& self = static_cast<Connection&>(timer);
  if (!self.in_handler_) return;
  if (self.stream_.peer_has_closed() && !self.waits_for_body_) {
    // Half-closed. A client that only ended its direction has had its time to hear the answer.
    self.scope_.cancel(Category::cancelled);
    return;
  }
  if (self.scope_.deadline() <= self.loop().now() && !self.waits_for_body_) {
    self.scope_.cancel(Category::timeout);
    return;
  }
  self.handler_waits();
}

void Connection::write_problem(int status, std::string_view code, std::string_view detail) {
  response_.clear();
  core_.problems.write_problem(response_, status, code, detail);
}

void Connection::conclude(Result<void>& handled) {
  in_handler_ = false;
  disarm();
  shard_.requests_ended.add(1);
  if (scope_.cancelled()) {
    const bool timed_out = scope_.error().category() == Category::timeout;
    scope_.reset();
    if (!timed_out) {
      abort_ = true;
      return;
    }
  }
  if (!handled) {
    const Error& error = handled.error();
    if (error.category() == Category::cancelled) {
      abort_ = true;
      return;
    }
    write_problem(http_status(error.category()), error.code(), error.detail());
  } else if (response_.broken() || response_.status() < 200 || response_.status() > 599) {
    log_error(
        "an answer was not valid and became a 500",
        {{"method", request_.method_text()}, {"path", request_.path()}, {"status", response_.status()}});
    write_problem(500, "internal", "The server met an unexpected fault.");
  }
  prepare_answer();
}

// Decides how the answer is delimited, coded and whether the connection stays.
void Connection::prepare_answer() {
  scope_.set_deadline(Scope::TimePoint::max());
  const Coding coding = negotiate_coding(request_, response_, core_.coding_rules);
  const auto& settings = core_.settings;
  const bool last =
      settings.requests_per_connection_max != 0 && requests_ >= settings.requests_per_connection_max;
  // A source may still be reading the request's body, so there nothing is skipped before its end.
  const bool skippable = body_done_ || (!response_.body_source() && can_skip_body());
  close_ = !framing_.keep_alive || response_.closes_connection() || last || !skippable ||
           core_.draining.load(std::memory_order_relaxed);
  linger_ = linger_ || !skippable || (close_ && framing_.keep_alive);
  answer_.close = close_;
  answer_.say_keep_alive = request_.minor_version() == 0 && !close_;

  if (is_bodiless(response_.status())) {
    answer_.length = AnswerLength::none;
    body_to_send_ = {};
    response_.body_source_.reset();
    return;
  }
  if (response_.body_source()) {
    const bool known = response_.body_source_size().has_value() && coding == Coding::identity;
    answer_.length = known                           ? AnswerLength::sized
                     : request_.minor_version() == 0 ? AnswerLength::close
                                                     : AnswerLength::chunked;
    answer_.size = response_.body_source_size().value_or(0);
    if (answer_.length == AnswerLength::close) {
      answer_.close = close_ = true;
      answer_.say_keep_alive = false;
    }
    if (request_.method() == Method::head)
      response_.body_source_.reset();
    else if (coding != Coding::identity)
      encoder_ = shard_.encoders.take(coding);
    return;
  }
  if (coding != Coding::identity) compress_body(coding);
  const std::string_view fixed = response_.static_body();
  body_to_send_ = fixed.data() ? fixed : response_.body().view();
  answer_.length = AnswerLength::sized;
  answer_.size = body_to_send_.size();
  if (request_.method() == Method::head) body_to_send_ = {};
}

void Connection::compress_body(Coding coding) {
  std::unique_ptr<Encoder> encoder = shard_.encoders.take(coding);
  const std::string_view fixed = response_.static_body();
  const std::string_view plain = fixed.data() ? fixed : response_.body().view();
  shard_.scratch.shrink_to(kKeptOutput);
  if (!encoder || !encoder->encode(plain, Encoder::Flush::end, shard_.scratch)) {
    log_error("a body could not be compressed", {{"coding", coding_name(coding)}});
    write_problem(500, "internal", "The server met an unexpected fault.");
    return;
  }
  response_.body().swap(shard_.scratch);
  response_.set_static_body({});
  shard_.encoders.give_back(std::move(encoder));
}

void Connection::append_answer() {
  append_answer_head(out_, response_, shard_.date.now(), answer_);
  if (body_to_send_.size() > kCopiedBodyMax) return;
  out_.append(body_to_send_);
  body_to_send_ = {};
}

Async<void> Connection::send_large_body() {
  parts_ = {out_.view(), std::exchange(body_to_send_, {}), {}};
  stream_.set_idle_timeout(milliseconds(core_.settings.write_timeout_ms));
  Result<void> sent = co_await stream_.write_all(std::span<const std::string_view>(parts_));
  shard_.bytes_out.add(parts_[0].size() + parts_[1].size());
  stream_.set_idle_timeout(milliseconds(core_.settings.idle_timeout_ms));
  out_.shrink_to(kKeptOutput);
  if (!sent) abort_ = true;
}

// ---- Draining

void Connection::drain() {
  if (!idle_) {
    if (head_pending_) stream_.set_deadline(kDrainHeadPatience);
    return;
  }
  if (requests_ == 0) {
    // Let in just now: its first request may be on its way.
    stream_.set_deadline(kDrainPatience);
    return;
  }
  // A request that the kernel holds already is still answered.
  char ignored;
  if (::recv(stream_.fd(), &ignored, 1, MSG_PEEK | MSG_DONTWAIT) > 0) return;
  scope_.cancel(Category::cancelled);
}

void Connection::cut_off() {
  abort_ = true;
  scope_.cancel(Category::cancelled);
}

}  // namespace bedplate::http
