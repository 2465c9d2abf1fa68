// SPDX-License-Identifier: Apache-2.0
// Zone files may be anybody's. What is accepted answers every question, and its answers agree with one another.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bedplate/schedule/time_zone.h"
#include "bedplate/schedule/tzif.h"

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bedplate;
  using namespace bedplate::schedule;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto zone = TimeZone::from_tzif("Fuzz/Zone", bytes);
  if (!zone) return 0;
  Time time(std::chrono::sys_days(std::chrono::year(1900) / 1 / 1));
  for (int i = 0; i < 40; ++i) {
    const LocalMoment local = (*zone)->to_local(time);
    expect(local.time.time_since_epoch() - time.time_since_epoch() == local.offset);
    const Instants back = (*zone)->to_instants(local.time);
    expect(back.kind != Instants::Kind::gap && back.first <= time && time <= back.last);
    expect((*zone)->to_local(back.first).time == local.time);
    const auto next = (*zone)->next_change(time);
    expect(!next || *next > time);
    time = next && i % 2 == 0 ? *next : time + std::chrono::days(1000);
  }
  for (Time far : {Time::min(), Time::max()}) (*zone)->to_instants((*zone)->to_local(far).time);
  return 0;
}
