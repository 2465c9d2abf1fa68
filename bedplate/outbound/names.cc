// SPDX-License-Identifier: Apache-2.0
#include "bedplate/outbound/names.h"

#include <algorithm>
#include <utility>

namespace bedplate::outbound::detail {

struct Names::Lookup {
  explicit Lookup(Loop& on) : loop(on) {}
  Loop& loop;
  Scope scope;
  std::optional<Result<std::vector<SocketAddress>>> found;
  std::vector<Op*> waiting;
  Loop::TimePoint until;
};

/// Waits for a look-up.
class [[nodiscard]] Names::Wait : public Op {
 public:
  using Value = void;

  explicit Wait(Lookup& lookup) : lookup_(lookup) {}
  bool await_ready() const { return lookup_.found.has_value(); }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> h) {
    if (!wait(h)) return false;
    lookup_.waiting.push_back(this);
    on_cancel = [](Op& op) {
      auto& self = static_cast<Wait&>(op);
      std::erase(self.lookup_.waiting, &op);
      self.error.emplace(self.scope->error());
      self.lookup_.loop.resume_later(self);
    };
    return true;
  }
  [[nodiscard]] Result<void> await_resume() {
    if (error) return std::unexpected(std::move(*error));
    return {};
  }

 private:
  Lookup& lookup_;
};

Names::~Names() {
  for (auto& [name, lookup] : lookups_)
    if (!lookup->found) lookup->scope.cancel(Category::cancelled);
}

Async<void> Names::run(Resolver& resolver, std::string host, std::uint16_t port,
                       std::shared_ptr<Lookup> lookup) {
  Result<std::vector<SocketAddress>> found = co_await resolver.resolve(std::move(host), port);
  lookup->found.emplace(std::move(found));
  for (Op* op : std::exchange(lookup->waiting, {})) lookup->loop.resume_later(*op);
}

void Names::make_room() {
  if (lookups_.size() < kNamesMax) return;
  std::erase_if(lookups_, [](const auto& entry) { return entry.second->found.has_value(); });
}

Async<std::vector<SocketAddress>> Names::find(std::string host, std::uint16_t port) {
  const std::string key = host + ":" + std::to_string(port);
  std::shared_ptr<Lookup> lookup;
  if (auto known = lookups_.find(key); known != lookups_.end()) {
    lookup = known->second;
    if (lookup->found && (!*lookup->found || loop_.now() >= lookup->until)) lookup = nullptr;
  }
  if (!lookup) {
    make_room();
    lookup = std::make_shared<Lookup>(loop_);
    lookup->until = loop_.now() + kept_;
    lookups_.insert_or_assign(key, lookup);
    run(resolver_, std::move(host), port, lookup).detach(&lookup->scope);
  }
  co_await ok(Wait(*lookup));
  if (!*lookup->found) co_return std::unexpected(lookup->found->error().clone());
  std::vector<SocketAddress> found = **lookup->found;
  co_return std::move(found);
}

}  // namespace bedplate::outbound::detail
