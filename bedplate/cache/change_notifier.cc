// SPDX-License-Identifier: Apache-2.0
#include "bedplate/cache/change_notifier.h"

#include <tuple>

#include <fmt/format.h>

#include "bedplate/base/random.h"

namespace bedplate::cache {

RedisChangeNotifier::RedisChangeNotifier(redis::Client& client, std::string prefix)
    : client_(client), prefix_(std::move(prefix)), sender_(fmt::format("{:016x}", random_u64())) {}

RedisChangeNotifier::~RedisChangeNotifier() {
  close();
}

void RedisChangeNotifier::listen(std::string topic, std::function<void()> heard) {
  topics_.push_back({prefix_ + std::move(topic), std::move(heard)});
}

void RedisChangeNotifier::start(Loop& loop) {
  if (topics_.empty()) return;
  loop_ = &loop;
  std::vector<std::string> channels;
  for (const Topic& topic : topics_) channels.push_back(topic.channel);
  loop.call(
      [&] { subscriber_ = redis::Subscriber::start(loop, client_.dialer(), std::move(channels), *this); });
}

void RedisChangeNotifier::close() {
  if (!loop_) return;
  loop_->call([&] {
    subscriber_->close();
    subscriber_.reset();
  });
  loop_ = nullptr;
}

void RedisChangeNotifier::notify(std::string_view topic) {
  publish(client_, prefix_ + std::string(topic), sender_).detach(nullptr);
}

Async<void> RedisChangeNotifier::publish(redis::Client& client, std::string channel, std::string sender) {
  redis::Command command("PUBLISH", channel, sender);
  std::ignore = co_await client.call(std::move(command));
}

void RedisChangeNotifier::on_message(std::string_view channel, std::string_view message) {
  if (message == sender_) return;
  for (const Topic& topic : topics_)
    if (topic.channel == channel) topic.heard();
}

void RedisChangeNotifier::on_subscribed() {
  for (const Topic& topic : topics_) topic.heard();
}

}  // namespace bedplate::cache
