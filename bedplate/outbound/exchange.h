// SPDX-License-Identifier: Apache-2.0
// One request as it is put before libcurl, and how its end is read. For the sources of this folder only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bedplate/outbound/client.h"
#include "bedplate/outbound/slots.h"
#include "bedplate/outbound/transfer.h"
#include "bedplate/outbound/url.h"

namespace bedplate::outbound::detail {

/// A request on its way, over all attempts.
struct Call {
  Request request;
  Url url;
  Loop::TimePoint deadline = Loop::TimePoint::max();
  bool whole = true;
  bool repeatable = false;
  bool pulled = false;  ///< its source has been asked
  int attempts = 0;
  int redirects = 0;

  Call(Request&& asked, Url&& where) : request(std::move(asked)), url(std::move(where)) {}
};

/// Category::invalid `bad_request`: a method or a field that cannot be written, or is the client's own.
Result<void> check(const Request& request);
/// GET, HEAD, PUT, DELETE, OPTIONS, TRACE (RFC 9110 section 9.2.2), or it has an Idempotency-Key.
bool may_be_repeated(const Request& request);

/// Scheme, port, and an address in the URL. Category::invalid `address_refused`.
Result<void> judge(const Guard& guard, const Url& url);
/// Every address is public. Category::invalid `address_refused`.
Result<void> judge(const Guard& guard, const Url& url, const std::vector<SocketAddress>& found);
bool (*judge_of(const Guard& guard))(const SocketAddress&);

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// One attempt. The members end in the reverse order.
struct Exchange {
  Slot slot;
  std::unique_ptr<curl_slist, FreeList> addresses;
  std::unique_ptr<Transfer> transfer;

  /// What libcurl connects to in place of a name.
  void pin(const std::string& host, std::uint16_t port, const std::vector<SocketAddress>& found);
};

/// Sets everything but addresses and proxy. `call` outlives the exchange.
void set_options(Transfer& transfer, const Call& call, const Settings& settings);
/// After the end: nothing, or what went wrong.
std::optional<Error> error_of(const Transfer& transfer, const Url& url);
Outcome outcome_of(const Error& error);
Outcome outcome_of(int status);

}  // namespace bedplate::outbound::detail
