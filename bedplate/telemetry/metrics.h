// SPDX-License-Identifier: Apache-2.0
// Metrics: counters, gauges and histograms that cost about a nanosecond to change, and their Prometheus text.
//
//   telemetry::Registry registry;
//   Counter served = registry.counter("http_requests_total", "Requests answered.", {{"status", "2xx"}});
//   Histogram latency = registry.histogram("http_request_seconds", "Time to answer.", {}, kLatencyBuckets);
//   served.add();                    // on the hot path: no lock, no shared cache line
//   latency.observe(0.000'340);
//   registry.write_prometheus(out);  // text format 0.0.4, for GET /metrics
//
// How it stays cheap: every thread has a page of its own for the cells of all series (the first 15
// threads; further ones share a page and pay for an atomic add), so a change is a load and a store that
// nobody else touches. Reading sums the pages: a little late while threads run, exact once they have stopped.
// Counts never go back.
//
// Labels are fixed at registration: keep the handle, never look a series up per request. Register the same
// name and labels again to get the same series. The number of series is bounded; what is beyond goes nowhere,
// is logged once, and counts in bedplate_metric_series_refused_total. A bad name, or one name with two types,
// is a bug and ends the program.
//
// Handles are one pointer or two, copyable, valid while their registry lives; a default-constructed one may
// be used and counts nothing. All of it is thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bedplate {
class Buffer;
}

namespace bedplate::telemetry {

namespace detail {

inline constexpr std::size_t kShards =
    16;  ///< The last is shared by all threads that have none of their own.
inline constexpr std::size_t kCellsPerPage =
    512;  ///< One page of 4 KiB a shard: no two threads share a cache line.

/// One number of one thread. Cell `c` of shard `s` lies s * kCellsPerPage further.
using Cell = std::atomic<std::uint64_t>;

struct alignas(4096) CellBlock {
  std::array<Cell, kShards * kCellsPerPage> cells{};
};

extern CellBlock discarded_cells;  ///< Where default-constructed handles write to; never read.

inline constexpr std::uint32_t kNoShard = UINT32_MAX;
extern constinit thread_local std::uint32_t thread_shard;
/// Gives the calling thread a shard; it returns when the thread ends.
std::uint32_t claim_shard();

inline std::uint32_t shard() {
  const std::uint32_t mine = thread_shard;
  return mine != kNoShard ? mine : claim_shard();
}

inline void add_to(Cell* cell, std::uint32_t shard, std::uint64_t amount) {
  Cell& mine = cell[shard * kCellsPerPage];
  if (shard != kShards - 1) [[likely]] {
    mine.store(mine.load(std::memory_order_relaxed) + amount,
               std::memory_order_relaxed);  // nobody else writes it
  } else {
    mine.fetch_add(amount, std::memory_order_relaxed);
  }
}
std::uint64_t sum_of(const Cell* cell);

}  // namespace detail

/// Only grows.
class Counter {
 public:
  Counter() : cell_(detail::discarded_cells.cells.data()) {}
  void add(std::uint64_t amount = 1) const { detail::add_to(cell_, detail::shard(), amount); }
  std::uint64_t value() const { return detail::sum_of(cell_); }

 private:
  friend class Registry;
  explicit Counter(detail::Cell* cell) : cell_(cell) {}
  detail::Cell* cell_;
};

/// Goes up and down by what threads add: open connections, requests in flight. A gauge to Prometheus.
class UpDownCounter {
 public:
  UpDownCounter() : cell_(detail::discarded_cells.cells.data()) {}
  void add(std::int64_t amount = 1) const {
    detail::add_to(cell_, detail::shard(), static_cast<std::uint64_t>(amount));
  }
  void subtract(std::int64_t amount = 1) const { add(-amount); }
  std::int64_t value() const { return static_cast<std::int64_t>(detail::sum_of(cell_)); }

 private:
  friend class Registry;
  explicit UpDownCounter(detail::Cell* cell) : cell_(cell) {}
  detail::Cell* cell_;
};

/// The value last set, by any thread. For what can be asked when it is wanted, use Registry::watch() instead.
class Gauge {
 public:
  Gauge() : cell_(detail::discarded_cells.cells.data()) {}
  void set(double value) const {
    cell_->store(std::bit_cast<std::uint64_t>(value), std::memory_order_relaxed);
  }
  double value() const { return std::bit_cast<double>(cell_->load(std::memory_order_relaxed)); }

 private:
  friend class Registry;
  explicit Gauge(detail::Cell* cell) : cell_(cell) {}
  detail::Cell* cell_;
};

/// How observed values spread over buckets. Cells: one a bucket, one for what is above the last bound, and
/// the sum.
class Histogram {
 public:
  Histogram() : cell_(detail::discarded_cells.cells.data()) {}

  /// One value. NaN counts as above the last bound and leaves the sum alone.
  void observe(double value) const;
  std::uint64_t count() const;
  double sum() const;

 private:
  friend class Registry;
  Histogram(detail::Cell* cell, std::span<const double> bounds) : cell_(cell), bounds_(bounds) {}
  detail::Cell* cell_;
  std::span<const double> bounds_;
};

/// Seconds, 100 µs to 10 s: for requests, statements, jobs.
inline constexpr double kLatencyBuckets[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                             0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};
/// Bytes, 64 B to 16 MiB.
inline constexpr double kSizeBuckets[] = {64,    256,    1024,    4096,    16384,
                                          65536, 262144, 1048576, 4194304, 16777216};
/// Small counts: batch sizes, rows.
inline constexpr double kCountBuckets[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};

struct Label {
  std::string name;
  std::string value;
  auto operator<=>(const Label&) const = default;
};
using Labels = std::vector<Label>;

/// What a Collector writes to. Values of one name follow one another, all with the same help.
class MetricWriter {
 public:
  explicit MetricWriter(Buffer& out) : out_(out) {}
  void counter(std::string_view name, std::string_view help, double value, const Labels& labels = {});
  void gauge(std::string_view name, std::string_view help, double value, const Labels& labels = {});

 private:
  friend class Registry;
  void header(std::string_view name, std::string_view help, std::string_view type);
  void sample(std::string_view name, std::string_view suffix, const Labels& labels, const Label* last,
              std::string_view value);

  Buffer& out_;
  std::string name_;
};

/// Values that are asked for when the metrics are read: the numbers of a pool, of a database, of the process.
/// collect() runs on the thread that reads the metrics, under the registry's lock: it is quick, thread-safe,
/// and registers nothing.
class Collector {
 public:
  virtual ~Collector() = default;
  virtual void collect(MetricWriter& out) const = 0;
};

class Registry;

/// What is watched, until this is gone. Keep it beside (after) what it watches; it ends before the registry
/// does.
class [[nodiscard]] Watch {
 public:
  Watch() = default;
  Watch(Watch&& other) noexcept
      : registry_(std::exchange(other.registry_, nullptr)), number_(other.number_) {}
  Watch& operator=(Watch&& other) noexcept {
    std::swap(registry_, other.registry_);
    std::swap(number_, other.number_);
    return *this;
  }
  ~Watch();

 private:
  friend class Registry;
  Watch(Registry& registry, std::uint64_t number) : registry_(&registry), number_(number) {}
  Registry* registry_ = nullptr;
  std::uint64_t number_ = 0;
};

class Registry {
 public:
  static constexpr std::size_t kSeriesMax = 10'000;
  static constexpr std::size_t kBucketsMax = 64;

  explicit Registry(std::size_t series_max = kSeriesMax);
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  ~Registry();

  /// Names as Prometheus has them ([a-zA-Z_:][a-zA-Z0-9_:]*), units last in base units: "_seconds", "_bytes";
  /// counters end in "_total". Label values may be any text.
  Counter counter(std::string_view name, std::string_view help, Labels labels = {});
  UpDownCounter up_down_counter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge gauge(std::string_view name, std::string_view help, Labels labels = {});
  /// `bounds` are the upper ends of the buckets, ascending, at most kBucketsMax; all series of a name share
  /// them.
  Histogram histogram(std::string_view name, std::string_view help, Labels labels = {},
                      std::span<const double> bounds = kLatencyBuckets);

  /// Asks `collector` whenever the metrics are read.
  Watch watch(const Collector& collector);

  /// Appends everything in Prometheus' text format 0.0.4, in the order of registration.
  void write_prometheus(Buffer& out) const;

 private:
  friend class Watch;
  enum class Kind : std::uint8_t;
  struct State;
  struct Family;
  struct Series {
    detail::Cell* cells = nullptr;
    std::span<const double> bounds;
  };
  Series series_for(std::string_view name, std::string_view help, Kind kind, Labels labels,
                    std::span<const double> bounds);
  Family& family_for(std::string_view name, std::string_view help, Kind kind, std::span<const double> bounds);
  static void write_family(MetricWriter& out, const Family& family);
  static void write_histogram(MetricWriter& out, const Family& family, const Labels& labels,
                              detail::Cell* cells);
  void unwatch(std::uint64_t number);

  std::unique_ptr<State> state_;
};

inline constexpr std::string_view kPrometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace bedplate::telemetry
