// SPDX-License-Identifier: Apache-2.0
// Connection: one pipelined connection of one loop to one Redis server, which many coroutines use at the same time.
//
//   auto connection = Connection::start(loop, dialer, endpoint);
//   PipelineOp op(*connection, command.wire());
//   Result<Reply> reply = co_await op;
//
// - What is asked for in one turn of the loop goes out in one write at its end.
// - Replies are matched by order, so a request whose caller stopped waiting keeps its place: its reply is dropped when
//   it comes, and nobody gets another's.
// - It connects by itself, again and again. While the first attempt after a working connection runs, requests wait for
//   it; once an attempt has failed they fail at once, until one succeeds: a server that is away costs its callers
//   nothing. A server that says nothing for two call time-outs, with requests waiting, counts as away.
// - Requests that were under way when the connection broke fail: whether they were executed is not known.
//
// Errors: Category::unavailable `cache_unavailable` (away), `cache_busy` (too many wait), Category::timeout
// `cache_timeout`, or the scope's. What Redis itself refuses is a Reply of kind error.
//
// On its loop's thread only.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>

#include "bedplate/async/async.h"
#include "bedplate/async/loop.h"
#include "bedplate/async/timer.h"
#include "bedplate/base/buffer.h"
#include "bedplate/redis/session.h"

namespace bedplate::redis {

class Connection;

/// A request: await it. `wire` may hold several commands; the reply is that of the last.
class [[nodiscard]] PipelineOp : public Op {
 public:
  using Value = Reply;

  PipelineOp(Connection& to, std::string_view wire, std::size_t commands = 1)
      : connection_(&to), wire_(wire), commands_(commands) {}
  bool await_ready() const { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    if (!wait(h)) return false;
    if (start()) return true;
    forget();
    return false;
  }
  [[nodiscard]] Result<Reply> await_resume() {
    if (error) return std::unexpected(std::move(*error));
    return std::move(reply_);
  }

 private:
  friend class Connection;
  bool start();
  static void cancelled(Op& op);

  Connection* connection_;
  std::string_view wire_;
  std::size_t commands_;
  std::size_t place_ = 0;  ///< number of its request
  Reply reply_;
};

/// Numbers of all connections of a client. Counters only grow. Any thread.
struct ConnectionCounters {
  std::atomic<std::uint64_t> calls{0};
  std::atomic<std::uint64_t> failures{0};  ///< calls that got no reply
  std::atomic<std::uint64_t> timeouts{0};  ///< of these, because it took too long
  std::atomic<std::uint64_t> connects{0};
  std::atomic<std::uint64_t> connect_failures{0};
  std::atomic<std::int64_t> connected{0};  ///< now
  std::atomic<std::int64_t> running{0};    ///< connections that have not ended yet, connected or not
};

class Connection : public std::enable_shared_from_this<Connection>, private Work, private PreciseTimer {
 public:
  /// Begins to connect. It lives until close(), and a little longer.
  static std::shared_ptr<Connection> start(Loop& loop, std::shared_ptr<Dialer> dialer, Endpoint endpoint,
                                           std::shared_ptr<ConnectionCounters> counters);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Fails what waits, and connects no more. The coroutine behind it ends soon afterwards.
  void close();

  enum class State : std::uint8_t { connecting, ready, away, closed };
  State state() const { return state_; }
  /// The server is a node of a Cluster: known after the first connect.
  bool is_cluster() const { return cluster_; }
  const Endpoint& endpoint() const { return endpoint_; }

 private:
  friend class PipelineOp;

  /// A reply that is awaited.
  struct Request {
    PipelineOp* op;  ///< null: nobody waits for it any more, or it is not the last of its op
    Loop::TimePoint deadline;
  };

  Connection(Loop& loop, std::shared_ptr<Dialer> dialer, Endpoint endpoint,
             std::shared_ptr<ConnectionCounters> counters);

  static Async<void> run(std::shared_ptr<Connection> self);
  Async<void> serve_once();
  Async<void> read_replies(Session& session);
  static Async<void> write_out(std::shared_ptr<Connection> self, std::shared_ptr<Session> session);

  bool enqueue(PipelineOp& op);
  void abandon(PipelineOp& op);
  void take(Reply reply);
  void fail_all(const Error& why);
  void fail_op(PipelineOp& op, Error why);
  void schedule_write();
  static void at_tick_end(Work* work);
  static void deadline_passed(PreciseTimer& timer);
  void arm_deadline();

  Loop& loop_;
  const std::shared_ptr<Dialer> dialer_;
  const Endpoint endpoint_;
  const std::shared_ptr<ConnectionCounters> counters_;
  Scope scope_;  ///< of run()
  State state_ = State::connecting;
  bool cluster_ = false;
  int attempts_failed_ = 0;

  std::shared_ptr<Session> session_;  ///< while ready
  std::deque<Request> requests_;
  std::size_t first_place_ = 0;  ///< of requests_.front()
  Buffer unsent_;
  Loop::TimePoint heard_at_;
  bool writing_ = false;
  std::shared_ptr<Connection> write_scheduled_;  ///< itself, while the loop has it in its list
};

}  // namespace bedplate::redis
