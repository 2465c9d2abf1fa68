// SPDX-License-Identifier: Apache-2.0
#include "bedplate/schedule/zone_pack.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include "bedplate/base/text.h"

namespace bedplate::schedule {
namespace {

constexpr std::size_t kHeadSize = 8;
constexpr std::size_t kContentMax = std::size_t{16} << 20;

std::unexpected<Error> unreadable() {
  return fail(Category::internal, "time_zones_unreadable",
              "The time zones inside the program cannot be read.");
}

std::optional<std::string> inflated(std::string_view bytes) {
  if (bytes.size() < kHeadSize || !bytes.starts_with("BPZ1")) return std::nullopt;
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i)
    size |= std::size_t{static_cast<unsigned char>(bytes[4 + i])} << (8 * i);
  if (size > kContentMax) return std::nullopt;
  std::string content(size, '\0');
  uLongf got = size;
  const int done =
      ::uncompress(reinterpret_cast<Bytef*>(content.data()), &got,
                   reinterpret_cast<const Bytef*>(bytes.data() + kHeadSize), bytes.size() - kHeadSize);
  if (done != Z_OK || got != size) return std::nullopt;
  return content;
}

std::string_view take_until(std::string_view& text, char end) {
  const std::size_t size = std::min(text.find(end), text.size());
  const std::string_view taken = text.substr(0, size);
  text.remove_prefix(std::min(size + 1, text.size()));
  return taken;
}

}  // namespace

Result<ZonePack> ZonePack::open(std::string_view bytes) {
  std::optional<std::string> content = inflated(bytes);
  if (!content) return unreadable();
  ZonePack pack;
  pack.content_ = std::move(*content);
  if (!pack.read_index()) return unreadable();
  return pack;
}

bool ZonePack::read_index() {
  std::string_view text = content_;
  version_ = take_until(text, '\n');
  while (true) {
    if (text.empty()) return false;
    std::string_view line = take_until(text, '\n');
    if (line.empty()) break;
    const std::string_view name = take_until(line, ' ');
    const auto offset = parse_uint(take_until(line, ' '));
    const auto size = parse_uint(line);
    if (!offset || !size) return false;
    entries_.push_back({std::string(name), *offset, *size});
  }
  const std::size_t begin = content_.size() - text.size();
  for (Entry& entry : entries_) {
    if (entry.offset > text.size() || entry.size > text.size() - entry.offset) return false;
    entry.offset += begin;
  }
  return std::ranges::is_sorted(entries_, {}, &Entry::name);
}

std::vector<std::string_view> ZonePack::names() const {
  std::vector<std::string_view> names;
  for (const Entry& entry : entries_) names.emplace_back(entry.name);
  return names;
}

std::string_view ZonePack::find(std::string_view name) const {
  const auto entry =
      std::ranges::lower_bound(entries_, name, {}, [](const Entry& e) { return std::string_view(e.name); });
  if (entry == entries_.end() || entry->name != name) return {};
  return std::string_view(content_).substr(entry->offset, entry->size);
}

}  // namespace bedplate::schedule
