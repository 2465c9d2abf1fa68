// SPDX-License-Identifier: Apache-2.0
// Subscriber: messages of Redis channels (pub/sub), on one loop, over a connection of its own.
//
//   class Invalidations : public Subscriber::Listener {
//     void on_message(std::string_view channel, std::string_view message) override { ... }
//     void on_subscribed() override { ... }   // what was published before this may have been missed
//   };
//   auto subscriber = Subscriber::start(loop, client.dialer(), {"invalidations"}, listener);
//   ...
//   subscriber->close();                       // on the loop's thread; no call of the listener begins after it
//   subscriber.reset();                        // there too: it has a timer of the loop
//
// Redis forgets a message once it is sent: what is published while the connection is down is lost. The connection comes
// back by itself (with back-off), subscribes again, and on_subscribed() says so, for the listener to catch up by other
// means. A connection that is silent is asked (PING) and dropped when it does not answer.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bedplate/async/loop.h"
#include "bedplate/async/timer.h"
#include "bedplate/redis/session.h"

namespace bedplate::redis {

class Subscriber : public std::enable_shared_from_this<Subscriber>, private CoarseTimer {
 public:
  /// Called on the subscriber's loop; returns soon.
  class Listener {
   public:
    virtual void on_message(std::string_view channel, std::string_view message) = 0;
    virtual void on_subscribed() = 0;

   protected:
    ~Listener() = default;
  };

  /// On the loop's thread. `listener` lives until close().
  static std::shared_ptr<Subscriber> start(Loop& loop, std::shared_ptr<Dialer> dialer,
                                           std::vector<std::string> channels, Listener& listener);
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  void close();
  /// Messages arrive now, as far as is known, and on_subscribed() has returned. Any thread.
  bool subscribed() const { return subscribed_.load(std::memory_order_acquire); }

 private:
  Subscriber(Loop& loop, std::shared_ptr<Dialer> dialer, std::vector<std::string> channels,
             Listener& listener);

  static Async<void> run(std::shared_ptr<Subscriber> self);
  Async<void> listen(Session& session, Endpoint endpoint);
  void take(const Reply& reply);
  static void ask(CoarseTimer& timer);
  static Async<void> ping(std::shared_ptr<Subscriber> self, std::shared_ptr<Session> session);

  const std::shared_ptr<Dialer> dialer_;
  const std::vector<std::string> channels_;
  Listener* listener_;  ///< null once closed
  Scope scope_;
  std::shared_ptr<Session> session_;
  bool heard_ = false;  ///< something, since the last ping
  std::size_t confirmed_ = 0;
  std::atomic<bool> subscribed_{false};
};

}  // namespace bedplate::redis
