// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <thread>

namespace bedplate {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr int kEventsMax = 256;  // a turn; what is left is reported in the next
constexpr nanoseconds kCoarseTick = milliseconds(100);

// Stands in the inbox of a loop that is asleep or about to be: whoever replaces it wakes the loop.
Work asleep_marker;
Work* const kAsleep = &asleep_marker;

int checked(int fd, const char* what) {
  if (fd >= 0) return fd;
  std::fprintf(stderr, "bedplate: cannot make an event loop: %s: %s\n", what, std::strerror(errno));
  std::abort();
}

Loop::TimePoint read_clock(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return Loop::TimePoint(std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec));
}

std::uint64_t coarse_tick_of(Loop::TimePoint time) {
  return static_cast<std::uint64_t>(time.time_since_epoch() / kCoarseTick);
}

Loop::TimePoint time_of_coarse_tick(std::uint64_t tick) {
  if (tick == detail::Wheel::kNever) return Loop::TimePoint::max();
  return Loop::TimePoint(kCoarseTick * static_cast<std::int64_t>(tick));
}

}  // namespace

struct Loop::Batch {
  epoll_event events[kEventsMax];
  int count = 0;
  int next = 0;  ///< the first that was not handled yet
};

Loop::Loop()
    : epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      event_fd_(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")),
      timer_fd_(checked(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd_create")),
      now_(read_clock(CLOCK_MONOTONIC)),
      wheel_(coarse_tick_of(now_)) {
  // Both descriptors are edge-triggered and never read: each write and each expiry is an edge of its own.
  waker_.on_events = [](detail::Pollable&, std::uint32_t) {};
  alarm_.on_events = [](detail::Pollable& self, std::uint32_t) { static_cast<Alarm&>(self).rang = true; };
  checked(add(waker_, event_fd_, EPOLLIN | EPOLLET) ? 0 : -1, "epoll_ctl");
  checked(add(alarm_, timer_fd_, EPOLLIN | EPOLLET) ? 0 : -1, "epoll_ctl");
}

Loop::~Loop() {
  // A thread whose work has run already may still be about to write to the event descriptor.
  while (wakers_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
  ::close(timer_fd_);
  ::close(event_fd_);
  ::close(epoll_);
}

void Loop::run() {
  if (current_) {
    std::fputs("bedplate: a loop was run inside a loop\n", stderr);
    std::abort();
  }
  current_ = this;
  while (!stop_.load(std::memory_order_acquire)) turn();
  stop_.store(false, std::memory_order_relaxed);
  run_posted();
  run_resumed();
  run_tick_end();
  current_ = nullptr;
}

void Loop::stop() {
  wakers_.fetch_add(1, std::memory_order_relaxed);
  stop_.store(true, std::memory_order_release);
  wake();
}

void Loop::wake() {
  const std::uint64_t one = 1;
  // It cannot fail: the counter would have to reach 2^64.
  [[maybe_unused]] ssize_t written = ::write(event_fd_, &one, sizeof one);
  wakers_.fetch_sub(1, std::memory_order_release);  // the last that is done with the loop
}

void Loop::post(Work& work) {
  // Once `work` is in the inbox the loop may run it and be destroyed, unless it knows that it is about to be
  // woken.
  bool counted = false;
  Work* head = inbox_.load(std::memory_order_relaxed);
  do {
    if (head == kAsleep && !std::exchange(counted, true)) wakers_.fetch_add(1, std::memory_order_relaxed);
    work.next = head == kAsleep ? nullptr : head;
  } while (!inbox_.compare_exchange_weak(head, &work, std::memory_order_release, std::memory_order_relaxed));
  if (counted) wake();
}

void Loop::spawn(Async<void> coroutine, Scope* scope) {
  struct Start : Work {
    Start(Async<void>&& c, Scope* s) : coroutine(std::move(c)), scope(s) {}
    Async<void> coroutine;
    Scope* scope;
  };
  auto* start = new Start(std::move(coroutine), scope);
  start->run = [](Work* work) {
    std::unique_ptr<Start> self(static_cast<Start*>(work));
    std::move(self->coroutine).detach(self->scope);
  };
  post(*start);
}

bool Loop::may_sleep() {
  if (resumed_head_ || tick_end_head_ || stop_.load(std::memory_order_relaxed)) return false;
  Work* empty = nullptr;
  return inbox_.compare_exchange_strong(empty, kAsleep, std::memory_order_acq_rel, std::memory_order_relaxed);
}

void Loop::turn() {
  Batch batch;
  int timeout_ms = may_sleep() ? -1 : 0;
  batch.count = ::epoll_wait(epoll_, batch.events, kEventsMax, timeout_ms);
  if (batch.count < 0) {
    if (errno != EINTR) checked(-1, "epoll_wait");
    batch.count = 0;
  }
  ticks_.store(ticks_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  refresh_clock(false);
  dispatch(batch);
  run_posted();
  if (alarm_.rang || now_ >= time_of_coarse_tick(wheel_.now() + 1)) run_timers();
  run_resumed();
  run_tick_end();
}

void Loop::refresh_clock(bool precise) {
  TimePoint read = read_clock(precise ? CLOCK_MONOTONIC : CLOCK_MONOTONIC_COARSE);
  if (read > now_) now_ = read;  // the coarse clock is behind the precise one
}

void Loop::dispatch(Batch& batch) {
  batch_ = &batch;
  while (batch.next < batch.count) {
    const epoll_event event = batch.events[batch.next++];
    auto* pollable = static_cast<detail::Pollable*>(event.data.ptr);
    if (!pollable) continue;
    dispatching_ = pollable;
    pollable->on_events(*pollable, event.events);
  }
  dispatching_ = nullptr;
  batch_ = nullptr;
  events_.store(events_.load(std::memory_order_relaxed) + static_cast<std::uint64_t>(batch.count),
                std::memory_order_relaxed);
}

void Loop::forget(detail::Pollable& pollable) {
  if (dispatching_ == &pollable) dispatching_ = nullptr;
  if (!batch_) return;
  for (int i = batch_->next; i < batch_->count; ++i)
    if (batch_->events[i].data.ptr == &pollable) batch_->events[i].data.ptr = nullptr;
}

void Loop::run_posted() {
  Work* newest = inbox_.load(std::memory_order_relaxed);
  if (!newest) return;
  newest = inbox_.exchange(nullptr, std::memory_order_acquire);
  if (newest == kAsleep) return;
  Work* oldest = nullptr;
  while (newest) {
    Work* following = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = following;
  }
  std::uint64_t count = 0;
  while (oldest) {
    Work* following = oldest->next;
    oldest->run(oldest);
    oldest = following;
    ++count;
  }
  posted_.store(posted_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
}

void Loop::resume_later(Op& op) {
  op.on_cancel = nullptr;
  op.next = nullptr;
  *resumed_tail_ = &op;
  resumed_tail_ = &op.next;
}

void Loop::run_resumed() {
  Op* op = std::exchange(resumed_head_, nullptr);  // what these put off again waits for the next turn
  resumed_tail_ = &resumed_head_;
  while (op) {
    Op* following = op->next;
    op->resume();
    op = following;
  }
}

void Loop::on_tick_end(Work& work) {
  work.next = nullptr;
  *tick_end_tail_ = &work;
  tick_end_tail_ = &work.next;
}

void Loop::run_tick_end() {
  Work* work = std::exchange(tick_end_head_, nullptr);
  tick_end_tail_ = &tick_end_head_;
  while (work) {
    Work* following = work->next;
    work->run(work);
    work = following;
  }
}

LoopStats Loop::stats() const {
  return {ticks_.load(std::memory_order_relaxed), events_.load(std::memory_order_relaxed),
          posted_.load(std::memory_order_relaxed)};
}

// ---- descriptors

bool Loop::add(detail::Pollable& pollable, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &pollable;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool Loop::modify(detail::Pollable& pollable, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &pollable;
  return ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0;
}

void Loop::remove(detail::Pollable& pollable, int fd) {
  epoll_event ignored{};
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, &ignored);
  forget(pollable);
}

FdWatch::FdWatch(Loop& loop, int fd) : loop_(loop), fd_(fd) {
  on_events = [](detail::Pollable& pollable, std::uint32_t events) {
    auto& self = static_cast<FdWatch&>(pollable);
    bool broken = (events & (EPOLLHUP | EPOLLERR)) != 0;
    self.on_ready(broken || (events & (EPOLLIN | EPOLLRDHUP)) != 0, broken || (events & EPOLLOUT) != 0);
  };
}

FdWatch::~FdWatch() {
  if (wanted_) loop_.remove(*this, fd_);
}

Result<void> FdWatch::want(bool readable, bool writable) {
  std::uint32_t events = (readable ? EPOLLIN | EPOLLRDHUP : 0u) | (writable ? EPOLLOUT : 0u);
  if (events == wanted_) return {};
  bool done = true;
  if (!events)
    loop_.remove(*this, fd_);
  else if (!wanted_)
    done = loop_.add(*this, fd_, events);
  else
    done = loop_.modify(*this, fd_, events);
  if (!done)
    return fail(Category::unavailable, "watch_failed", "The system cannot watch one more descriptor.");
  wanted_ = events;
  return {};
}

// ---- timers

void Loop::arm_coarse(detail::WheelNode& node, TimePoint when) {
  // One tick more than rounding up asks for, since what `when` was reckoned from is a little behind: never
  // early.
  if (wheel_.arm(node, coarse_tick_of(when) + 2)) ring_at(time_of_coarse_tick(node.linked));
}

void Loop::arm_precise(detail::HeapNode& node, TimePoint when) {
  heap_.arm(node, when);
  ring_at(when);
}

void Loop::ring_at(TimePoint when) {
  if (when >= rings_at_) return;
  rings_at_ = when;
  auto since_boot =
      std::max(when.time_since_epoch(), TimePoint::duration(1));  // zero would switch the alarm off
  itimerspec spec{};
  spec.it_value.tv_sec = static_cast<time_t>(since_boot / std::chrono::seconds(1));
  spec.it_value.tv_nsec = static_cast<long>((since_boot % std::chrono::seconds(1)).count());
  ::timerfd_settime(timer_fd_, TFD_TIMER_ABSTIME, &spec, nullptr);
}

void Loop::run_timers() {
  if (std::exchange(alarm_.rang, false)) rings_at_ = TimePoint::max();
  refresh_clock(true);
  const TimePoint due = now_;  // what is armed meanwhile waits for the next turn
  wheel_.advance(coarse_tick_of(due));
  while (detail::HeapNode* node = heap_.take_due(due)) node->fire(*node);
  ring_at(std::min(heap_.next(), time_of_coarse_tick(wheel_.next_tick())));
}

}  // namespace bedplate
