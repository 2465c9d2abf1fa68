// SPDX-License-Identifier: Apache-2.0
#include "bedplate/redis/subscriber.h"

#include <tuple>

#include "bedplate/base/log.h"
#include "bedplate/redis/command.h"

namespace bedplate::redis {
namespace {

constexpr std::chrono::milliseconds kPingEvery{3000};

}  // namespace

Subscriber::Subscriber(Loop& loop, std::shared_ptr<Dialer> dialer, std::vector<std::string> channels,
                       Listener& listener)
    : CoarseTimer(loop, &Subscriber::ask),
      dialer_(std::move(dialer)),
      channels_(std::move(channels)),
      listener_(&listener) {}

std::shared_ptr<Subscriber> Subscriber::start(Loop& loop, std::shared_ptr<Dialer> dialer,
                                              std::vector<std::string> channels, Listener& listener) {
  std::shared_ptr<Subscriber> self(new Subscriber(loop, std::move(dialer), std::move(channels), listener));
  run(self).detach(&self->scope_);
  return self;
}

void Subscriber::close() {
  listener_ = nullptr;
  subscribed_.store(false, std::memory_order_relaxed);
  disarm();
  if (session_) session_->close();
  scope_.cancel(Category::cancelled);
}

Async<void> Subscriber::run(std::shared_ptr<Subscriber> self) {
  for (int failures = 0; self->listener_;) {
    self->session_ = std::make_shared<Session>(self->dialer_);
    Result<void> ended = co_await self->listen(
        *self->session_, self->dialer_->endpoint_after(static_cast<std::uint32_t>(failures)));
    self->session_->close();
    self->session_.reset();
    self->disarm();
    if (!self->listener_) break;
    const bool was_subscribed = self->subscribed_.exchange(false, std::memory_order_relaxed);
    failures = was_subscribed ? 0 : failures + 1;
    if (failures <= 1)
      log_warn(
          was_subscribed ? "the cache's messages were cut off" : "the cache's messages cannot be received",
          {{"why", ended ? "" : ended.error().detail()}});
    if (failures > 0) std::ignore = co_await sleep_for(self->dialer_->backoff(failures));
  }
}

// One connection from its beginning to its end.
Async<void> Subscriber::listen(Session& session, Endpoint endpoint) {
  co_await ok(session.open(std::move(endpoint)));
  std::vector<std::string_view> words{"SUBSCRIBE"};
  words.insert(words.end(), channels_.begin(), channels_.end());
  confirmed_ = 0;
  heard_ = true;
  const Command subscribe(words);
  co_await ok(session.write(subscribe.wire()));
  arm(kPingEvery);
  while (listener_) {
    std::optional<Reply> reply = co_await ok(session.next());
    if (!reply) {
      co_await ok(session.read());
      heard_ = true;
      continue;
    }
    if (reply->is_error()) co_await fail(Category::unavailable, "cache_refused", reply->text);
    take(*reply);
  }
}

// [subscribe, channel, count] once for each channel, then [message, channel, text]. What is no push answers a ping.
void Subscriber::take(const Reply& reply) {
  if (reply.kind != Reply::Kind::push || reply.items.size() != 3) return;
  const std::string& kind = reply.items[0].text;
  if (kind == "message") {
    listener_->on_message(reply.items[1].text, reply.items[2].text);
  } else if (kind == "subscribe" && ++confirmed_ == channels_.size()) {
    listener_->on_subscribed();
    subscribed_.store(true, std::memory_order_release);
  }
}

void Subscriber::ask(CoarseTimer& timer) {
  auto& self = static_cast<Subscriber&>(timer);
  if (!self.session_) return;
  if (!std::exchange(self.heard_, false)) return self.session_->close();  // listen() ends
  ping(self.shared_from_this(), self.session_).detach(nullptr);
  self.arm(kPingEvery);
}

Async<void> Subscriber::ping(std::shared_ptr<Subscriber>, std::shared_ptr<Session> session) {
  const Command command("PING");
  std::ignore = co_await session->write(command.wire());
}

}  // namespace bedplate::redis
