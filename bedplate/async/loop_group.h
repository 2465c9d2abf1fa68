// SPDX-License-Identifier: Apache-2.0
// LoopGroup: N loops on N threads.
//
//   LoopGroup loops(2);
//   loops.start();
//   loops.for_each([&](Loop& loop, std::size_t i) { listen(loop, i); });   // runs on each loop's thread, waits for all
//   loops.stop();                                             // and join(), or the destructor
//   LoopGroup workers(1, {.name = "worker"});                 // apart from those: for what must not delay requests
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bedplate/async/loop.h"

namespace bedplate {

struct LoopGroupOptions {
  /// Bind thread i to the i-th core that this process may use; only useful with as many loops as cores.
  bool pin = false;
  /// Of the threads, followed by their number. At most 10 characters.
  std::string name = "loop";
};

/// Owns its loops; they exist from construction to destruction, and run between start() and stop().
class LoopGroup {
 public:
  explicit LoopGroup(std::size_t count, LoopGroupOptions options = {});
  LoopGroup(const LoopGroup&) = delete;
  LoopGroup& operator=(const LoopGroup&) = delete;
  /// stop() and join(). What is registered with the loops is gone by then.
  ~LoopGroup();

  std::size_t size() const { return loops_.size(); }
  Loop& loop(std::size_t index) { return *loops_[index]; }

  /// Once.
  void start();
  /// Asks every loop to end its run(). Any thread.
  void stop();
  /// Waits until all have. Not from a loop's thread.
  void join();

  /// Runs `f(loop, index)` on each loop's own thread in turn, and waits. The group runs; not from one of its
  /// threads.
  template <class F>
  void for_each(F f) {
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      Loop& loop = *loops_[i];
      loop.call([&] { f(loop, i); });
    }
  }

 private:
  void pin_to_core(std::size_t index);

  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<std::thread> threads_;
  const LoopGroupOptions options_;
};

}  // namespace bedplate
