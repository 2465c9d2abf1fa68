// SPDX-License-Identifier: Apache-2.0
#include "bedplate/outbound/client.h"

#include <algorithm>
#include <utility>

#include "bedplate/async/gather.h"
#include "bedplate/async/timer.h"
#include "bedplate/base/random.h"
#include "bedplate/base/text.h"
#include "bedplate/base/time.h"
#include "bedplate/http/message/date.h"
#include "bedplate/outbound/exchange.h"
#include "bedplate/outbound/names.h"
#include "bedplate/outbound/slots.h"
#include "bedplate/outbound/transfer.h"
#include "bedplate/outbound/url.h"

namespace bedplate::outbound {
namespace {

using std::chrono::milliseconds;
using TimePoint = Loop::TimePoint;

constexpr milliseconds kBackoffMin{100};
constexpr milliseconds kBackoffMax{5000};
constexpr double kRetriesInReserve = 10;

milliseconds backoff(int attempts) {
  const milliseconds longest = std::min(kBackoffMax, kBackoffMin * (1 << std::min(attempts - 1, 10)));
  const auto spread = static_cast<std::uint64_t>(longest.count());
  return milliseconds(static_cast<std::int64_t>(spread / 2 + random_u64() % (spread / 2 + 1)));
}

/// Zero: the answer does not say.
milliseconds retry_after(const http::ResponseHead& head) {
  const std::string_view text = head.field("retry-after");
  if (const auto seconds = parse_uint(text))
    return std::chrono::seconds(std::min<std::uint64_t>(*seconds, 86'400));
  const auto date = text.empty() ? std::nullopt : http::parse_http_date(text);
  if (!date) return milliseconds(0);
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(SystemClock().now().time_since_epoch());
  return std::chrono::seconds(std::clamp<std::int64_t>(*date - now.count(), 0, 86'400));
}

bool is_retried_status(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// Whether another attempt can do no harm after `error`.
bool may_try_again(const Error& error, const detail::Call& call) {
  if (call.pulled) return false;
  if (error.code() == "resolve_failed" || error.code() == "connect_failed") return true;
  return error.code() == "connection_closed" && call.repeatable;
}

/// The proxy's text without the credentials, for its host and port.
Result<Url> read_proxy(const std::string& proxy) {
  std::string bare = proxy;
  if (const std::size_t at = bare.rfind('@'), scheme = bare.find("://");
      at != bare.npos && scheme != bare.npos)
    bare.erase(scheme + 3, at + 1 - (scheme + 3));
  Result<Url> url = parse_url(bare);
  if (url) return url;
  return fail(Category::internal, "bad_proxy", "The proxy is not http://host:port.");
}

}  // namespace

void Request::trace(const telemetry::RequestTrace* caller) {
  if (!caller) return;
  add_field("traceparent", telemetry::to_traceparent(telemetry::child_of(caller->span)));
  if (!caller->tracestate.empty()) add_field("tracestate", caller->tracestate);
}

Guard Guard::allow_private() {
  Guard guard;
  guard.plain_http = guard.any_port = guard.private_addresses = true;
  return guard;
}

// ---- one attempt

struct Client::State {
  State(Loop& on, Resolver& resolver, ClientOptions&& with);

  Result<detail::Call> prepare(Request&& request, bool whole) const;
  Async<std::vector<SocketAddress>> find(std::string host, std::uint16_t port);
  Async<void> pin(detail::Exchange& exchange, const detail::Call& call);
  Async<void> pump(detail::Transfer& transfer, detail::Call& call);
  Async<std::unique_ptr<detail::Exchange>> attempt(detail::Call& call);
  Async<std::unique_ptr<detail::Exchange>> measured_attempt(detail::Call& call);
  Async<std::unique_ptr<detail::Exchange>> exchange(detail::Call& call);
  Async<bool> wait_to_retry(const detail::Call& call, milliseconds at_least);
  bool follow(detail::Call& call, const http::ResponseHead& head) const;

  Loop& loop;
  const ClientOptions options;
  const std::string proxy;
  detail::Names names;
  detail::Slots slots;
  detail::Driver whole;
  detail::Driver streamed;  // apart: a reader that pauses would hold up others on its HTTP/2 connection
  double retries = kRetriesInReserve;
};

Client::State::State(Loop& on, Resolver& resolver, ClientOptions&& with)
    : loop(on),
      options(std::move(with)),
      proxy(options.guard ? options.guard->egress_proxy : options.settings.proxy),
      names(on, resolver, std::chrono::seconds(options.guard ? 0 : options.settings.name_cache_s)),
      slots(on,
            {options.settings.requests_max, options.settings.requests_per_host_max,
             options.settings.waiting_max},
            options.metrics.waits),
      whole(on,
            {static_cast<long>(options.settings.requests_max),
             static_cast<long>(options.settings.idle_connections_max), true, options.metrics.connections}),
      streamed(on, {static_cast<long>(options.settings.requests_max),
                    static_cast<long>(options.settings.idle_connections_max), false,
                    options.metrics.connections}) {}

Result<detail::Call> Client::State::prepare(Request&& request, bool read_whole) const {
  Result<Url> url = parse_url(request.url);
  if (!url) return std::unexpected(std::move(url.error()));
  if (Result<void> checked = detail::check(request); !checked)
    return std::unexpected(std::move(checked.error()));
  if (options.guard)
    if (Result<void> judged = detail::judge(*options.guard, *url); !judged)
      return std::unexpected(std::move(judged.error()));
  detail::Call call(std::move(request), std::move(*url));
  call.whole = read_whole;
  call.repeatable = detail::may_be_repeated(call.request);
  const milliseconds timeout = call.request.timeout.value_or(milliseconds(options.settings.timeout_ms));
  if (timeout.count() > 0) call.deadline = loop.now() + timeout;
  return call;
}

Async<std::vector<SocketAddress>> Client::State::find(std::string host, std::uint16_t port) {
  Scope* const parent = co_await bedplate::detail::CurrentScope();
  Scope own(parent);
  co_await bedplate::detail::EnterScope(own);
  Deadline deadline(loop, own);
  deadline.start(milliseconds(options.settings.resolve_timeout_ms));
  Result<std::vector<SocketAddress>> found = co_await names.find(host, port);
  if (!found && own.cancelled() && !(parent && parent->cancelled()))
    co_return fail(Category::unavailable, "resolve_failed",
                   "The addresses of " + host + " were not found in time.");
  co_return std::move(found);
}

Async<void> Client::State::pin(detail::Exchange& exchange, const detail::Call& call) {
  CURL* const easy = exchange.transfer->easy();
  detail::set(easy, CURLOPT_PROXY, proxy.c_str());  // empty: none, also not that of the environment
  Url to = call.url;
  if (!proxy.empty()) {
    to = co_await ok(read_proxy(proxy));
  } else {
    detail::set(easy, CURLOPT_NOPROXY, "*");
    if (options.guard) exchange.transfer->use_judge(detail::judge_of(*options.guard));
  }
  if (to.is_address) co_return;
  const std::vector<SocketAddress> found = co_await ok(find(to.host, to.port));
  if (options.guard && proxy.empty()) co_await ok(detail::judge(*options.guard, to, found));
  exchange.pin(to.host, to.port, found);
}

namespace {

/// The next piece; its source is cancelled when the exchange ends meanwhile.
Async<std::string> pull(detail::Transfer& transfer, BodySource& source) {
  Scope* const parent = co_await bedplate::detail::CurrentScope();
  Scope own(parent);
  co_await bedplate::detail::EnterScope(own);
  transfer.cancel_at_end(&own);
  Result<std::string> piece = co_await source.next();
  transfer.cancel_at_end(nullptr);
  co_return std::move(piece);
}

}  // namespace

Async<void> Client::State::pump(detail::Transfer& transfer, detail::Call& call) {
  std::string piece;  // until it was taken
  for (;;) {
    co_await ok(transfer.wait(detail::Until::body_wanted));
    if (transfer.done()) co_return;
    call.pulled = true;
    Result<std::string> next = co_await pull(transfer, *call.request.source);
    if (transfer.done()) co_return;
    if (!next) co_await std::unexpected(std::move(next.error()));
    piece = std::move(*next);
    if (piece.empty()) break;
    transfer.push(piece);
  }
  transfer.finish_body();
}

Async<std::unique_ptr<detail::Exchange>> Client::State::attempt(detail::Call& call) {
  const std::string host = call.url.authority();
  auto exchange = std::make_unique<detail::Exchange>();
  exchange->slot = co_await ok(slots.enter(host));
  const Settings& settings = options.settings;
  detail::TransferLimits limits;
  limits.deadline = call.deadline;
  limits.first_byte = milliseconds(settings.first_byte_timeout_ms);
  limits.idle = milliseconds(settings.idle_timeout_ms);
  limits.header_size_max = settings.header_size_max;
  limits.header_count_max = settings.header_count_max;
  limits.body_size_max = call.request.body_size_max.value_or(settings.body_size_max);
  limits.whole = call.whole;
  exchange->transfer = std::make_unique<detail::Transfer>(call.whole ? whole : streamed, limits);
  detail::Transfer& transfer = *exchange->transfer;
  co_await ok(pin(*exchange, call));
  detail::set_options(transfer, call, settings);
  transfer.start();
  if (call.request.source) co_await ok(pump(transfer, call));
  co_await ok(transfer.wait(call.whole ? detail::Until::done : detail::Until::head));
  if (transfer.done())
    if (std::optional<Error> error = detail::error_of(transfer, call.url))
      co_return std::unexpected(std::move(*error));
  co_return std::move(exchange);
}

Async<std::unique_ptr<detail::Exchange>> Client::State::measured_attempt(detail::Call& call) {
  const TimePoint began = std::chrono::steady_clock::now();
  ++call.attempts;
  Result<std::unique_ptr<detail::Exchange>> ended = co_await attempt(call);
  const Outcome outcome =
      ended ? detail::outcome_of((*ended)->transfer->head().status) : detail::outcome_of(ended.error());
  options.metrics.attempts[static_cast<std::size_t>(outcome)].add();
  options.metrics.seconds.observe(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  co_return std::move(ended);
}

// ---- all attempts

Async<bool> Client::State::wait_to_retry(const detail::Call& call, milliseconds at_least) {
  const milliseconds pause = std::max(backoff(call.attempts), at_least);
  if (call.attempts >= call.request.attempts_max || retries < 1 || loop.now() + pause >= call.deadline)
    co_return false;
  retries -= 1;
  options.metrics.retries.add();
  co_await ok(sleep_for(pause));
  co_return true;
}

bool Client::State::follow(detail::Call& call, const http::ResponseHead& head) const {
  const Request& request = call.request;
  if (options.guard || !is_redirect(head.status) || call.redirects >= request.redirects_max) return false;
  if (request.method != "GET" && request.method != "HEAD") return false;
  Result<Url> to = parse_location(call.url, head.field("location"));
  if (!to || !to->same_origin(call.url)) return false;
  ++call.redirects;
  call.attempts = 0;
  call.url = std::move(*to);
  return true;
}

Async<std::unique_ptr<detail::Exchange>> Client::State::exchange(detail::Call& call) {
  retries = std::min(kRetriesInReserve, retries + options.settings.retry_percent / 100.0);
  for (;;) {
    Result<std::unique_ptr<detail::Exchange>> ended = co_await measured_attempt(call);
    if (!ended) {
      if (!may_try_again(ended.error(), call)) co_return std::move(ended);
      const bool again = co_await ok(wait_to_retry(call, milliseconds(0)));
      if (!again) co_return std::move(ended);
      continue;
    }
    const http::ResponseHead& head = (*ended)->transfer->head();
    if (follow(call, head)) continue;
    if (!call.request.retry_statuses || !call.repeatable || !is_retried_status(head.status))
      co_return std::move(ended);
    const milliseconds at_least = retry_after(head);
    const bool again = co_await ok(wait_to_retry(call, at_least));
    if (!again) co_return std::move(ended);
  }
}

// ---- the client

struct ResponseStream::State {
  explicit State(detail::Call&& of) : call(std::move(of)) {}
  detail::Call call;
  std::unique_ptr<detail::Exchange> exchange;
};

ResponseStream::ResponseStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
ResponseStream::ResponseStream(ResponseStream&&) noexcept = default;
ResponseStream& ResponseStream::operator=(ResponseStream&&) noexcept = default;
ResponseStream::~ResponseStream() = default;

const http::ResponseHead& ResponseStream::head() const {
  return state_->exchange->transfer->head();
}
int ResponseStream::status() const {
  return head().status;
}

Async<std::string> ResponseStream::read() {
  detail::Transfer& transfer = *state_->exchange->transfer;
  co_await ok(transfer.wait(detail::Until::readable));
  std::string piece = transfer.take();
  if (piece.empty())
    if (std::optional<Error> error = detail::error_of(transfer, state_->call.url))
      co_return std::unexpected(std::move(*error));
  co_return std::move(piece);
}

namespace {

/// Runs `work` under a scope that ends at `until`.
template <class T>
Async<T> with_deadline(Loop& loop, TimePoint until, Async<T> work) {
  Scope* const parent = co_await bedplate::detail::CurrentScope();
  Scope own(parent);
  co_await bedplate::detail::EnterScope(own);
  Deadline deadline(loop, own);
  if (until != TimePoint::max()) deadline.start(std::chrono::ceil<milliseconds>(until - loop.now()));
  Result<T> result = co_await std::move(work);
  co_return std::move(result);
}

}  // namespace

Client::Client(Loop& loop, Resolver& resolver, ClientOptions options)
    : state_(std::make_unique<State>(loop, resolver, std::move(options))) {}
Client::~Client() = default;

Async<Response> Client::send(Request request) {
  detail::Call call = co_await ok(state_->prepare(std::move(request), true));
  std::unique_ptr<detail::Exchange> ended =
      co_await ok(with_deadline(state_->loop, call.deadline, state_->exchange(call)));
  Response response;
  response.head = std::move(ended->transfer->head());
  response.status = response.head.status;
  response.body = ended->transfer->take();
  co_return std::move(response);
}

Async<ResponseStream> Client::open(Request request) {
  detail::Call prepared = co_await ok(state_->prepare(std::move(request), false));
  auto state = std::make_unique<ResponseStream::State>(std::move(prepared));
  state->exchange =
      co_await ok(with_deadline(state_->loop, state->call.deadline, state_->exchange(state->call)));
  co_return ResponseStream(std::move(state));
}

}  // namespace bedplate::outbound
