// SPDX-License-Identifier: Apache-2.0
// ChangeNotifier: tells the other replicas that something has changed, so that they look now and not only when they
// poll next. (Pub/sub; Redis carries it.)
//
//   notifier.listen("identity:revocations", [&] { wake.set(); });   // while wiring
//   notifier.notify("identity:revocations");                         // after the commit
//
// A notification carries its topic and nothing else: the change itself is in the database. Notifications can be lost,
// so a listener polls as well. A listener is also called when notifications may have been missed, after a reconnect.
// A process does not receive its own notifications.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/redis/client.h"
#include "bedplate/redis/subscriber.h"

namespace bedplate::cache {

class ChangeNotifier {
 public:
  virtual ~ChangeNotifier() = default;
  /// Before start. `heard` is called on a loop, and must not block.
  virtual void listen(std::string topic, std::function<void()> heard) = 0;
  /// From a loop; does not wait.
  virtual void notify(std::string_view topic) = 0;
};

/// Among the processes that use one Redis. Topics are channels, behind a prefix.
class RedisChangeNotifier final : public ChangeNotifier, private redis::Subscriber::Listener {
 public:
  /// `client` outlives it.
  explicit RedisChangeNotifier(redis::Client& client, std::string prefix = "bedplate:");
  /// close().
  ~RedisChangeNotifier() override;

  void listen(std::string topic, std::function<void()> heard) override;
  void notify(std::string_view topic) override;

  /// Subscribes on `loop`, which runs. Once, not from its thread.
  void start(Loop& loop);
  /// Ends the subscription. While the loop still runs, not from its thread. Idempotent.
  void close();

 private:
  struct Topic {
    std::string channel;
    std::function<void()> heard;
  };
  void on_message(std::string_view channel, std::string_view message) override;
  void on_subscribed() override;
  static Async<void> publish(redis::Client& client, std::string channel, std::string sender);

  redis::Client& client_;
  const std::string prefix_;
  const std::string sender_;
  std::vector<Topic> topics_;
  Loop* loop_ = nullptr;
  std::shared_ptr<redis::Subscriber> subscriber_;
};

}  // namespace bedplate::cache
