// SPDX-License-Identifier: Apache-2.0
// Nudges: tells the other replicas that something has changed, so that they look now and not at their next round.
//
//   nudges.listen("identity:revocations", [&] { wake.set(); });   // while wiring
//   nudges.nudge("identity:revocations");                         // after the commit
//
// A nudge says nothing but its topic: what changed stands in the database. It may get lost, so whoever listens also
// looks by itself now and then. A listener is also called when nudges may have been missed. One's own nudges are not
// heard.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/redis/client.h"
#include "bedplate/redis/subscriber.h"

namespace bedplate::cache {

class Nudges {
 public:
  virtual ~Nudges() = default;
  /// Before start. `heard` is called on a loop, and returns soon.
  virtual void listen(std::string topic, std::function<void()> heard) = 0;
  /// From a loop; does not wait.
  virtual void nudge(std::string_view topic) = 0;
};

/// Among the processes that use one Redis. Topics are channels, behind a prefix.
class RedisNudges final : public Nudges, private redis::Subscriber::Listener {
 public:
  /// `client` outlives it.
  explicit RedisNudges(redis::Client& client, std::string prefix = "bedplate:");
  /// close().
  ~RedisNudges() override;

  void listen(std::string topic, std::function<void()> heard) override;
  void nudge(std::string_view topic) override;

  /// Begins to hear on `loop`, which runs. Once, not from its thread.
  void start(Loop& loop);
  /// Hears no more. While the loop still runs, not from its thread. Idempotent.
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
