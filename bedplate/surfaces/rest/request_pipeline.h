// SPDX-License-Identifier: Apache-2.0
// The steps of rest.h up to authorisation, which need no waiting unless replicas share their rate limits. Private
// header.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bedplate/surfaces/rest/request_context.h"
#include "bedplate/surfaces/rest/rest_state.h"

namespace bedplate::api {

/// Names one request, finds its endpoint, and decides whether this caller may have it now. An error is the answer;
/// fields that go with it (Allow, WWW-Authenticate) are set. Sets RequestContext::answered where nothing is left to do.
class RequestPipeline {
 public:
  /// Both outlive it.
  RequestPipeline(const Rest::State& state, RequestContext& exchange) : state_(state), exchange_(exchange) {}

  Result<void> admit();
  /// The same where replicas share their limits: it waits for them.
  Async<void> admit_everywhere();

 private:
  enum class Next : std::uint8_t { step, call, finished };
  using Step = Result<Next> (RequestPipeline::*)();
  /// What all replicas are still to be asked, after this one's own limit allowed it.
  struct SharedTake {
    std::string name;
    RateLimit limit;
    std::int64_t cost;
  };
  static const Step kSteps[];

  Result<Next> identify();
  Result<Next> find_route();
  Result<Next> limit_address();
  Result<Next> leave_or_go_on();
  Result<Next> authenticate();

  void prepare_call();
  Result<void> finish_admission(Result<void> admitted);
  Result<void> look_up();
  void answer_options();
  bool leads_to_docs();
  Async<void> ask_everywhere();

  const Rest::State& state_;
  RequestContext& exchange_;
  Result<void> routed_;
  std::optional<SharedTake> shared_;
};

}  // namespace bedplate::api
