// SPDX-License-Identifier: Apache-2.0
#include "bedplate/async/loop_group.h"

#include <pthread.h>
#include <sched.h>

#include <string>
#include <utility>

#include "bedplate/base/log.h"

namespace bedplate {

LoopGroup::LoopGroup(std::size_t count, LoopGroupOptions options) : options_(std::move(options)) {
  loops_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) loops_.push_back(std::make_unique<Loop>());
}

LoopGroup::~LoopGroup() {
  stop();
  join();
}

void LoopGroup::start() {
  threads_.reserve(loops_.size());
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    threads_.emplace_back([this, i] {
      ::pthread_setname_np(::pthread_self(), (options_.name + "-" + std::to_string(i)).c_str());
      if (options_.pin) pin_to_core(i);
      loops_[i]->run();
    });
  }
}

void LoopGroup::stop() {
  for (auto& loop : loops_) loop->stop();
}

void LoopGroup::join() {
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

void LoopGroup::pin_to_core(std::size_t index) {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  const int cores = CPU_COUNT(&allowed);
  if (cores == 0) return;
  int wanted = static_cast<int>(index) % cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &allowed) || wanted-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    if (::pthread_setaffinity_np(::pthread_self(), sizeof one, &one) != 0)
      log_warn("cannot bind a loop to its core", {{"loop", index}, {"core", core}});
    return;
  }
}

}  // namespace bedplate
