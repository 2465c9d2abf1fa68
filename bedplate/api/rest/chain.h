// The steps of rest.h's chain up to authorisation, which need no waiting unless replicas share their rate limits.
// Internal to this room.
#pragma once

#include <cstdint>
#include <string>

#include "bedplate/api/rest/exchange.h"
#include "bedplate/api/rest/rest_state.h"

namespace bedplate::api {

/// Names the request, finds its endpoint, and decides whether this caller may have it now. An error is the answer;
/// fields that go with it (Allow, WWW-Authenticate) are set. Sets Exchange::answered where nothing is left to do.
class Chain {
 public:
  explicit Chain(const Rest::State& state) : state_(state) {}

  Result<void> admit(Exchange& exchange) const;
  /// The same where replicas share their limits: it waits for them.
  Async<void> admit_everywhere(Exchange& exchange) const;

 private:
  void identify(Exchange& exchange) const;
  Result<void> find_route(Exchange& exchange) const;
  void answer_options(Exchange& exchange) const;
  Result<void> limit(Exchange& exchange, RateLimiter& limiter, std::uint64_t key) const;
  Async<void> limit_everywhere(Exchange& exchange, RateLimiter& limiter, std::uint64_t key, RateLimit limit,
                               std::string name) const;
  Result<void> authenticate(Exchange& exchange) const;
  Result<void> authorise(Exchange& exchange) const;

  const Rest::State& state_;
};

}  // namespace bedplate::api
