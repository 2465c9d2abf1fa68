// SPDX-License-Identifier: Apache-2.0
#include "bedplate/outbound/transfer.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "bedplate/base/text.h"

namespace bedplate::outbound::detail {
namespace {

constexpr std::size_t kUnreadMax = 64 * 1024;  // of a streamed answer; one piece of libcurl's more

void prepare_curl() {
  static std::once_flag once;  // libcurl asks for it before anything else, once in a process
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace

// ---- Driver

/// A descriptor of libcurl's.
struct Driver::Watch final : FdWatch {
  Watch(Driver& owner, int fd) : FdWatch(owner.loop_, fd), driver(owner) {}
  void on_ready(bool readable, bool writable) override {
    driver.act(fd(),
               (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));  // may destroy this
  }
  Driver& driver;
};

Driver::Timer::Timer(Loop& loop, Driver& owner)
    : PreciseTimer(
          loop, [](PreciseTimer& timer) { static_cast<Timer&>(timer).driver.act(CURL_SOCKET_TIMEOUT, 0); }),
      driver(owner) {}

Driver::Driver(Loop& loop, DriverOptions options) : loop_(loop), options_(options), timer_(loop, *this) {
  prepare_curl();
  multi_ = curl_multi_init();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Driver::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Driver::on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, options.connections_max);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, options.idle_max);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, options.multiplex ? CURLPIPE_MULTIPLEX : CURLPIPE_NOTHING);
}

Driver::~Driver() {
  curl_multi_cleanup(multi_);
}

int Driver::on_socket(CURL*, curl_socket_t fd, int what, void* self, void* watch) {
  auto& driver = *static_cast<Driver*>(self);
  auto* known = static_cast<Watch*>(watch);
  if (what == CURL_POLL_REMOVE) {
    delete known;
    return 0;
  }
  if (!known) {
    known = new Watch(driver, fd);
    curl_multi_assign(driver.multi_, fd, known);
  }
  // A descriptor that cannot be watched ends at a time limit.
  std::ignore = known->want((what & CURL_POLL_IN) != 0, (what & CURL_POLL_OUT) != 0);
  return 0;
}

int Driver::on_timer(CURLM*, long after_ms, void* self) {
  auto& timer = static_cast<Driver*>(self)->timer_;
  if (after_ms < 0)
    timer.disarm();
  else
    timer.arm(std::chrono::milliseconds(after_ms));
  return 0;
}

int Driver::on_close(void* self, curl_socket_t fd) {
  static_cast<Driver*>(self)->options_.connections.subtract();
  return ::close(fd);
}

void Driver::act(curl_socket_t fd, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, fd, events, &running);
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    char* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    reinterpret_cast<Transfer*>(transfer)->finished(code);
  }
}

// ---- waiting

bool TransferWait::await_ready() const {
  return transfer_.is(until_);
}

void TransferWait::start() {
  transfer_.waiter_ = this;
  on_cancel = [](Op& op) {
    auto& self = static_cast<TransferWait&>(op);
    self.transfer_.waiter_ = nullptr;
    self.transfer_.stop();
    self.error.emplace(self.scope->error());
    self.transfer_.driver_.loop().resume_later(self);
  };
}

// ---- Transfer

Transfer::Timer::Timer(Transfer& owner)
    : CoarseTimer(owner.driver_.loop(),
                  [](CoarseTimer& timer) { static_cast<Timer&>(timer).transfer.watch_time(); }),
      transfer(owner) {}

Transfer::Transfer(Driver& driver, TransferLimits limits)
    : driver_(driver), limits_(limits), easy_(curl_easy_init()), timer_(*this) {
  set(easy_, CURLOPT_PRIVATE, static_cast<void*>(this));
  set(easy_, CURLOPT_ERRORBUFFER, message_.data());
  set(easy_, CURLOPT_NOSIGNAL, 1L);
  set(easy_, CURLOPT_NOPROGRESS, 1L);
  set(easy_, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(easy_, CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(easy_, CURLOPT_WRITEFUNCTION, &Transfer::on_write);
  set(easy_, CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(easy_, CURLOPT_READFUNCTION, &Transfer::on_read);
  set(easy_, CURLOPT_READDATA, static_cast<void*>(this));
  set(easy_, CURLOPT_SEEKFUNCTION, &Transfer::on_seek);
  set(easy_, CURLOPT_SEEKDATA, static_cast<void*>(this));
  set(easy_, CURLOPT_PREREQFUNCTION, &Transfer::on_request);
  set(easy_, CURLOPT_PREREQDATA, static_cast<void*>(this));
  set(easy_, CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_open);
  set(easy_, CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  set(easy_, CURLOPT_CLOSESOCKETFUNCTION, &Driver::on_close);
  set(easy_, CURLOPT_CLOSESOCKETDATA, static_cast<void*>(&driver_));
}

Transfer::~Transfer() {
  stop();
  curl_easy_cleanup(easy_);
  curl_slist_free_all(headers_);
}

void Transfer::add_header(const std::string& line) {
  headers_ = curl_slist_append(headers_, line.c_str());
}

void Transfer::send_body(std::string_view body, bool again) {
  out_ = body;
  whole_body_ = true;
  may_send_again_ = again;
  set(easy_, CURLOPT_UPLOAD, 1L);
  set(easy_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(body.size()));
}

void Transfer::stream_body(std::int64_t size_or_unknown) {
  body_complete_ = false;
  set(easy_, CURLOPT_UPLOAD, 1L);
  set(easy_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(size_or_unknown));
}

void Transfer::start() {
  set(easy_, CURLOPT_HTTPHEADER, headers_);
  active();
  running_ = true;
  curl_multi_add_handle(driver_.multi_, easy_);
  watch_time();
}

void Transfer::stop() {
  if (!running_) return;
  code_ = CURLE_ABORTED_BY_CALLBACK;
  end();
}

void Transfer::end() {
  running_ = false;
  done_ = true;
  timer_.disarm();
  curl_multi_remove_handle(driver_.multi_, easy_);
}

void Transfer::finished(CURLcode code) {
  code_ = code;
  end();
  signal();
  if (at_end_) at_end_->cancel(Category::cancelled);
}

void Transfer::fail(Failure failure) {
  failure_ = failure;
  finished(CURLE_ABORTED_BY_CALLBACK);
}

bool Transfer::is(Until until) const {
  if (done_) return true;
  if (until == Until::head) return head_complete_;
  if (until == Until::readable) return !in_.empty();
  if (until == Until::body_wanted) return paused_out_;
  return false;
}

void Transfer::signal() {
  if (!waiter_ || !is(waiter_->until_)) return;
  driver_.loop().resume_later(*std::exchange(waiter_, nullptr));
}

void Transfer::resume_curl() {
  if (!running_) return;
  active();
  curl_easy_pause(easy_, (paused_in_ ? CURLPAUSE_RECV : 0) | (paused_out_ ? CURLPAUSE_SEND : 0));
  if (running_) watch_time();
}

void Transfer::push(std::string_view piece) {
  out_ = piece;
  out_sent_ = 0;
  paused_out_ = false;
  resume_curl();
}

void Transfer::finish_body() {
  body_complete_ = true;
  push({});
}

std::string Transfer::take() {
  std::string taken = std::exchange(in_, {});
  if (paused_in_) {
    paused_in_ = false;
    resume_curl();
  }
  return taken;
}

// ---- time limits

Loop::TimePoint Transfer::next_limit() const {
  Loop::TimePoint limit = limits_.deadline;
  const auto pause_max = head_complete_ ? limits_.idle : limits_.first_byte;
  if (connected_ && pause_max.count() > 0 && !paused_in_ && !paused_out_)
    limit = std::min(limit, last_active_ + pause_max);
  return limit;
}

void Transfer::watch_time() {
  const Loop::TimePoint limit = next_limit();
  if (limit == Loop::TimePoint::max()) return timer_.disarm();
  if (driver_.loop().now() < limit) return timer_.arm(limit);
  if (limit == limits_.deadline) return fail(Failure::deadline);
  fail(head_complete_ ? Failure::idle : Failure::first_byte);
}

// ---- libcurl's callbacks

int Transfer::on_request(void* self, char*, char*, int, int) {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.connected_ = true;
  transfer.active();
  if (const auto limit = transfer.next_limit(); limit != Loop::TimePoint::max()) transfer.timer_.arm(limit);
  return CURL_PREREQFUNC_OK;
}

curl_socket_t Transfer::on_open(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (transfer.judge_ && !transfer.judge_(SocketAddress::from_system(&address->addr, address->addrlen))) {
    transfer.failure_ = Failure::address_refused;
    return CURL_SOCKET_BAD;
  }
  const int fd =
      ::socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
  if (fd >= 0) transfer.driver_.options_.connections.add();
  return fd;
}

std::size_t Transfer::on_header(char* data, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.active();
  if (transfer.head_complete_) return size;  // trailers
  const bool taken = transfer.take_header(std::string_view(data, size));
  transfer.signal();
  return taken ? size : 0;
}

bool Transfer::take_header(std::string_view line) {
  head_size_ += line.size();
  if (head_size_ > limits_.header_size_max || head_.fields.size() >= limits_.header_count_max) {
    failure_ = Failure::head_too_large;
    return false;
  }
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    const std::size_t blank = std::min(line.find(' '), line.size() - 1);
    head_ = http::ResponseHead();
    head_.status = static_cast<int>(parse_uint(line.substr(blank + 1, 3)).value_or(0));
    head_.minor_version = line.starts_with("HTTP/1.0") ? 0 : 1;
    if (line.size() > blank + 5) head_.reason = line.substr(blank + 5);
  } else if (line.empty()) {
    head_complete_ = head_.status >= 200;
    // libcurl sends no more of the body after such an answer, but does not end while that is paused.
    if (head_.status >= 300 && paused_out_) curl_easy_pause(easy_, CURLPAUSE_CONT);
    if (const auto limit = next_limit(); limit != Loop::TimePoint::max()) timer_.arm(limit);
  } else {
    const std::size_t colon = line.find(':');
    if (colon == line.npos || colon == 0 || line.front() == ' ' || line.front() == '\t') {
      failure_ = Failure::bad_head;
      return false;
    }
    head_.fields.push_back({std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1)))});
  }
  return true;
}

std::size_t Transfer::on_write(char* data, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.active();
  if (transfer.limits_.whole) {
    if (transfer.in_.size() + size > transfer.limits_.body_size_max) {
      transfer.failure_ = Failure::body_too_large;
      return size + 1;  // any other number than `size` ends the exchange
    }
  } else if (transfer.in_.size() >= kUnreadMax) {
    transfer.paused_in_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  transfer.in_.append(data, size);
  transfer.signal();
  return size;
}

std::size_t Transfer::on_read(char* out, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.active();
  const std::size_t count = std::min(size, transfer.out_.size() - transfer.out_sent_);
  if (count > 0) {
    std::memcpy(out, transfer.out_.data() + transfer.out_sent_, count);
    transfer.out_sent_ += count;
    return count;
  }
  if (transfer.body_complete_) return 0;
  transfer.paused_out_ = true;
  transfer.signal();
  return CURL_READFUNC_PAUSE;
}

int Transfer::on_seek(void* self, curl_off_t offset, int origin) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (!transfer.whole_body_ || !transfer.may_send_again_ || offset != 0 || origin != SEEK_SET)
    return CURL_SEEKFUNC_FAIL;
  transfer.out_sent_ = 0;
  return CURL_SEEKFUNC_OK;
}

}  // namespace bedplate::outbound::detail
