// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/caching.h"

namespace bedplate::app {

Async<telemetry::CheckResult> RedisCheck::run() {
  redis::Command ping("PING");
  Result<redis::Reply> reply = co_await client_.call(std::move(ping));
  if (reply) co_return telemetry::CheckResult();
  co_return telemetry::CheckResult(
      telemetry::HealthStatus::warn,
      reply.error().detail() + " Requests go on without it; rate limits are each replica's own.");
}

namespace {

bool is_memory(const std::string& url) {
  return url.empty() || url == "memory:";
}

Result<redis::Options> options_of(const std::string& url) {
  Result<redis::Options> options = redis::Options::from_url(url);
  if (!options)
    return fail(Category::invalid, "cache_url",
                "cache.url: " + options.error().detail() + " Or memory:, or nothing.");
  return options;
}

}  // namespace

Result<void> Caching::check_url(const std::string& url) {
  if (is_memory(url)) return {};
  if (Result<redis::Options> options = options_of(url); !options)
    return std::unexpected(std::move(options.error()));
  return {};
}

Result<std::unique_ptr<Caching>> Caching::make(const CacheSettings& settings, telemetry::Registry& metrics) {
  std::unique_ptr<Caching> caching(new Caching());
  cache::LocalCacheOptions local;
  local.size_bytes_max = static_cast<std::size_t>(settings.local_size_kib) << 10;
  const bool memory = is_memory(settings.url);
  Result<void> made = memory ? caching->use_memory(local) : caching->use_redis(settings, local, metrics);
  if (!made) return std::unexpected(std::move(made.error()));
  const cache::LocalCache& in_process = memory ? caching->memory_->local() : caching->two_level_->local();
  caching->collector_ =
      std::make_unique<cache::CacheMetrics>(*caching->loading_, in_process, caching->client_.get(),
                                            caching->redis_ ? &caching->redis_->pending() : nullptr);
  caching->watch_ = metrics.watch(*caching->collector_);
  return caching;
}

Result<void> Caching::use_memory(const cache::LocalCacheOptions& local) {
  memory_ = std::make_unique<cache::MemoryCache>(local);
  loading_ = std::make_unique<cache::LoadingCache>(*memory_);
  locks_ = std::make_unique<cache::MemoryLocks>();
  return {};
}

Result<void> Caching::use_redis(const CacheSettings& settings, const cache::LocalCacheOptions& local,
                                telemetry::Registry& metrics) {
  Result<redis::Options> options = options_of(settings.url);
  if (!options) return std::unexpected(std::move(options.error()));
  options->call_timeout = std::chrono::milliseconds(settings.timeout_ms);
  options->connect_timeout = std::chrono::milliseconds(settings.connect_timeout_ms);
  options->tls_options.authorities_file = settings.tls_authorities_file;
  auto client = redis::Client::make(std::move(*options));
  if (!client) return std::unexpected(std::move(client.error()));
  client_ = std::move(*client);
  cache::TwoLevelOptions levels;
  levels.local = local;
  levels.local_lifetime_max = std::chrono::milliseconds(settings.local_lifetime_ms);
  redis_ = std::make_unique<cache::RedisCache>(*client_, settings.prefix);
  two_level_ = std::make_unique<cache::TwoLevelCache>(*client_, *redis_, levels);
  loading_ = std::make_unique<cache::LoadingCache>(*two_level_);
  locks_ = std::make_unique<cache::RedisLocks>(*client_, settings.prefix);
  notifier_ = std::make_unique<cache::RedisChangeNotifier>(*client_, settings.prefix);
  rate_limits_ = std::make_unique<RedisRateLimits>(*client_, settings.prefix, metrics);
  check_ = std::make_unique<RedisCheck>(*client_);
  return {};
}

Caching::~Caching() {
  close();
}

void Caching::start(Loop& loop) {
  if (two_level_) two_level_->start(loop);
  if (notifier_) notifier_->start(loop);
}

void Caching::close() {
  if (loading_) loading_->close();
  if (notifier_) notifier_->close();
  if (two_level_) two_level_->close();
  if (client_) client_->close();
}

}  // namespace bedplate::app
