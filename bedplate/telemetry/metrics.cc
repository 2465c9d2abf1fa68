// SPDX-License-Identifier: Apache-2.0
#include "bedplate/telemetry/metrics.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <mutex>
#include <new>

#include "bedplate/base/buffer.h"
#include "bedplate/base/log.h"
#include "bedplate/base/text.h"

namespace bedplate::telemetry {

// ---- Cells and the threads that own them

namespace detail {

constinit CellBlock discarded_cells;
constinit thread_local std::uint32_t thread_shard = kNoShard;

namespace {

constexpr std::uint32_t kSharedShard = kShards - 1;

/// Which shards have a thread. The lock also orders a thread's last changes before the first of whoever comes
/// next.
struct ShardPool {
  std::mutex mutex;
  std::uint32_t taken = 0;
};
constinit ShardPool shard_pool;

/// Returns the shard at the end of the thread. Destructors that run later than this one share the last shard.
struct ShardLease {
  std::uint32_t shard = kSharedShard;
  ~ShardLease() {
    thread_shard = kSharedShard;
    if (shard == kSharedShard) return;
    const std::lock_guard lock(shard_pool.mutex);
    shard_pool.taken &= ~(1U << shard);
  }
};

void add_to_real(Cell* cell, std::uint32_t shard, double amount) {
  Cell& mine = cell[shard * kCellsPerPage];
  std::uint64_t before = mine.load(std::memory_order_relaxed);
  auto after = [&] { return std::bit_cast<std::uint64_t>(std::bit_cast<double>(before) + amount); };
  if (shard != kSharedShard) {
    mine.store(after(), std::memory_order_relaxed);
    return;
  }
  while (!mine.compare_exchange_weak(before, after(), std::memory_order_relaxed)) {
  }
}

}  // namespace

std::uint32_t claim_shard() {
  thread_local ShardLease lease;
  const std::lock_guard lock(shard_pool.mutex);
  const auto free_one = static_cast<std::uint32_t>(std::countr_one(shard_pool.taken));
  if (free_one < kSharedShard) {
    shard_pool.taken |= 1U << free_one;
    lease.shard = free_one;
  }
  thread_shard = lease.shard;
  return thread_shard;
}

std::uint64_t sum_of(const Cell* cell) {
  std::uint64_t sum = 0;
  for (std::size_t s = 0; s < kShards; ++s) sum += cell[s * kCellsPerPage].load(std::memory_order_relaxed);
  return sum;
}

}  // namespace detail

using detail::Cell;
using detail::CellBlock;

void Histogram::observe(double value) const {
  // Branchless on purpose: values jump between buckets, and a wrong guess costs more than a few compares.
  std::size_t bucket = 0;
  for (const double bound : bounds_) bucket += value <= bound ? 0 : 1;
  const std::uint32_t shard = detail::shard();
  detail::add_to(cell_ + bucket, shard, 1);
  if (!std::isnan(value)) detail::add_to_real(cell_ + bounds_.size() + 1, shard, value);
}

std::uint64_t Histogram::count() const {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i <= bounds_.size(); ++i) count += detail::sum_of(cell_ + i);
  return count;
}

double Histogram::sum() const {
  double sum = 0;
  const Cell* cell = cell_ + bounds_.size() + 1;
  for (std::size_t s = 0; s < detail::kShards; ++s) {
    sum += std::bit_cast<double>(cell[s * detail::kCellsPerPage].load(std::memory_order_relaxed));
  }
  return sum;
}

// ---- Writing

namespace {

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[kDoubleSizeMax];
  return {text, write_double(text, value)};
}

/// Backslash and line feed in help; the quote too in label values. What is not UTF-8 becomes U+FFFD.
void append_escaped(Buffer& out, std::string_view text, bool in_quotes) {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p != end) {
    const unsigned size = utf8_sequence_size(p, end);
    if (size == 0) {
      out.append("\xEF\xBF\xBD");
      ++p;
      continue;
    }
    if (*p == '\n') {
      out.append("\\n");
    } else {
      if (*p == '\\' || (in_quotes && *p == '"')) out.put('\\');
      out.append({p, size});
    }
    p += size;
  }
}

void append_label(Buffer& out, const Label& label) {
  out.append(label.name);
  out.append("=\"");
  append_escaped(out, label.value, true);
  out.put('"');
}

}  // namespace

void MetricWriter::header(std::string_view name, std::string_view help, std::string_view type) {
  if (name == name_) return;
  name_ = name;
  out_.append("# HELP ");
  out_.append(name);
  out_.put(' ');
  append_escaped(out_, help, false);
  out_.append("\n# TYPE ");
  out_.append(name);
  out_.put(' ');
  out_.append(type);
  out_.put('\n');
}

void MetricWriter::sample(std::string_view name, std::string_view suffix, const Labels& labels,
                          const Label* last, std::string_view value) {
  out_.append(name);
  out_.append(suffix);
  if (!labels.empty() || last != nullptr) {
    char before = '{';
    for (const Label& label : labels) {
      out_.put(std::exchange(before, ','));
      append_label(out_, label);
    }
    if (last != nullptr) {
      out_.put(before);
      append_label(out_, *last);
    }
    out_.put('}');
  }
  out_.put(' ');
  out_.append(value);
  out_.put('\n');
}

void MetricWriter::counter(std::string_view name, std::string_view help, double value, const Labels& labels) {
  header(name, help, "counter");
  sample(name, "", labels, nullptr, number_text(value));
}

void MetricWriter::gauge(std::string_view name, std::string_view help, double value, const Labels& labels) {
  header(name, help, "gauge");
  sample(name, "", labels, nullptr, number_text(value));
}

// ---- Registry

enum class Registry::Kind : std::uint8_t { counter, up_down_counter, gauge, histogram };

/// All series of one name.
struct Registry::Family {
  std::string name;
  std::string help;
  Kind kind;
  std::vector<double> bounds;
  std::map<Labels, Cell*> series;

  std::size_t cells_each() const { return kind == Kind::histogram ? bounds.size() + 2 : 1; }
};

struct Registry::State {
  struct Unmap {
    void operator()(CellBlock* block) const { ::munmap(block, sizeof *block); }
  };

  explicit State(std::size_t series) : series_max(series) {}

  const std::size_t series_max;
  mutable std::mutex mutex;
  std::vector<std::unique_ptr<Family>> families;  // in order of registration
  std::map<std::string, Family*, std::less<>> by_name;
  std::vector<std::unique_ptr<CellBlock, Unmap>> blocks;
  std::size_t cells_used = detail::kCellsPerPage;  // of the last block; no block yet is like a full one
  std::size_t series_count = 0;
  std::uint64_t series_refused = 0;
  std::map<std::uint64_t, const Collector*> collectors;
  std::uint64_t next_collector = 0;

  Cell* allocate(std::size_t count) {
    if (cells_used + count > detail::kCellsPerPage) {
      // From the kernel, zeroed: the pages of threads that do not exist are never touched and take no memory.
      void* memory =
          ::mmap(nullptr, sizeof(CellBlock), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (memory == MAP_FAILED) throw std::bad_alloc();
      blocks.emplace_back(static_cast<CellBlock*>(memory));
      cells_used = 0;
    }
    return blocks.back()->cells.data() + std::exchange(cells_used, cells_used + count);
  }
};

namespace {

[[noreturn]] void die(std::string_view problem, std::string_view name) {
  log_error("a metric is registered wrongly", {{"problem", problem}, {"name", name}});
  std::abort();
}

bool is_name(std::string_view text, bool with_colon) {
  auto fits = [with_colon](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (with_colon && c == ':');
  };
  if (text.empty() || !fits(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) { return fits(c) || (c >= '0' && c <= '9'); });
}

void check_labels(std::string_view name, const Labels& labels, bool is_histogram) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::string& label = labels[i].name;
    if (!is_name(label, false) || label.starts_with("__")) die("a label has a bad name", name);
    if (is_histogram && label == "le") die("the label le belongs to the buckets", name);
    for (std::size_t k = 0; k < i; ++k) {
      if (labels[k].name == label) die("a label stands twice", name);
    }
  }
}

void check_bounds(std::string_view name, std::span<const double> bounds) {
  if (bounds.size() > Registry::kBucketsMax) die("too many buckets", name);
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    if (!std::isfinite(bounds[i]) || (i > 0 && bounds[i] <= bounds[i - 1]))
      die("the bounds do not ascend", name);
  }
}

}  // namespace

Registry::Registry(std::size_t series_max) : state_(std::make_unique<State>(series_max)) {}
Registry::~Registry() = default;

Registry::Family& Registry::family_for(std::string_view name, std::string_view help, Kind kind,
                                       std::span<const double> bounds) {
  const auto found = state_->by_name.find(name);
  if (found != state_->by_name.end()) {
    Family& family = *found->second;
    if (family.kind != kind) die("one name has two types", name);
    if (!std::equal(bounds.begin(), bounds.end(), family.bounds.begin(), family.bounds.end())) {
      die("one name has two sets of bounds", name);
    }
    return family;
  }
  if (!is_name(name, true)) die("the name is not one of Prometheus", name);
  check_bounds(name, bounds);
  state_->families.push_back(std::make_unique<Family>(
      Family{std::string(name), std::string(help), kind, {bounds.begin(), bounds.end()}, {}}));
  Family& family = *state_->families.back();
  state_->by_name.emplace(family.name, &family);
  return family;
}

Registry::Series Registry::series_for(std::string_view name, std::string_view help, Kind kind, Labels labels,
                                      std::span<const double> bounds) {
  check_labels(name, labels, kind == Kind::histogram);
  const std::lock_guard lock(state_->mutex);
  Family& family = family_for(name, help, kind, bounds);
  const auto found = family.series.find(labels);
  if (found != family.series.end()) return {found->second, family.bounds};
  if (state_->series_count >= state_->series_max) {
    if (state_->series_refused++ == 0) {
      log_warn("there are too many metric series; further ones are not counted",
               {{"series_max", state_->series_max}, {"name", name}});
    }
    return {};
  }
  Cell* cells = state_->allocate(family.cells_each());
  family.series.emplace(std::move(labels), cells);
  ++state_->series_count;
  return {cells, family.bounds};
}

Counter Registry::counter(std::string_view name, std::string_view help, Labels labels) {
  const Series series = series_for(name, help, Kind::counter, std::move(labels), {});
  return series.cells != nullptr ? Counter(series.cells) : Counter();
}

UpDownCounter Registry::up_down_counter(std::string_view name, std::string_view help, Labels labels) {
  const Series series = series_for(name, help, Kind::up_down_counter, std::move(labels), {});
  return series.cells != nullptr ? UpDownCounter(series.cells) : UpDownCounter();
}

Gauge Registry::gauge(std::string_view name, std::string_view help, Labels labels) {
  const Series series = series_for(name, help, Kind::gauge, std::move(labels), {});
  return series.cells != nullptr ? Gauge(series.cells) : Gauge();
}

Histogram Registry::histogram(std::string_view name, std::string_view help, Labels labels,
                              std::span<const double> bounds) {
  const Series series = series_for(name, help, Kind::histogram, std::move(labels), bounds);
  return series.cells != nullptr ? Histogram(series.cells, series.bounds) : Histogram();
}

Watch Registry::watch(const Collector& collector) {
  const std::lock_guard lock(state_->mutex);
  const std::uint64_t number = state_->next_collector++;
  state_->collectors.emplace(number, &collector);
  return {*this, number};
}

void Registry::unwatch(std::uint64_t number) {
  const std::lock_guard lock(state_->mutex);
  state_->collectors.erase(number);
}

Watch::~Watch() {
  if (registry_ != nullptr) registry_->unwatch(number_);
}

void Registry::write_family(MetricWriter& out, const Family& family) {
  constexpr std::string_view kTypes[] = {"counter", "gauge", "gauge", "histogram"};
  out.header(family.name, family.help, kTypes[static_cast<std::size_t>(family.kind)]);
  for (const auto& [labels, cells] : family.series) {
    switch (family.kind) {
      case Kind::counter:
        out.sample(family.name, "", labels, nullptr, std::to_string(Counter(cells).value()));
        break;
      case Kind::up_down_counter:
        out.sample(family.name, "", labels, nullptr, std::to_string(UpDownCounter(cells).value()));
        break;
      case Kind::gauge:
        out.sample(family.name, "", labels, nullptr, number_text(Gauge(cells).value()));
        break;
      case Kind::histogram:
        write_histogram(out, family, labels, cells);
        break;
    }
  }
}

void Registry::write_histogram(MetricWriter& out, const Family& family, const Labels& labels, Cell* cells) {
  // The count is the sum of the buckets as they were read, so the lines agree while threads go on counting.
  std::uint64_t count = 0;
  for (std::size_t i = 0; i <= family.bounds.size(); ++i) {
    count += detail::sum_of(cells + i);
    const double bound =
        i < family.bounds.size() ? family.bounds[i] : std::numeric_limits<double>::infinity();
    const Label le{"le", number_text(bound)};
    out.sample(family.name, "_bucket", labels, &le, std::to_string(count));
  }
  out.sample(family.name, "_sum", labels, nullptr, number_text(Histogram(cells, family.bounds).sum()));
  out.sample(family.name, "_count", labels, nullptr, std::to_string(count));
}

void Registry::write_prometheus(Buffer& out) const {
  const std::lock_guard lock(state_->mutex);
  MetricWriter writer(out);
  for (const auto& family : state_->families) {
    if (!family->series.empty()) write_family(writer, *family);
  }
  for (const auto& [number, collector] : state_->collectors) collector->collect(writer);
  writer.counter("bedplate_metric_series_refused_total", "Series refused because there were too many.",
                 static_cast<double>(state_->series_refused));
}

}  // namespace bedplate::telemetry
