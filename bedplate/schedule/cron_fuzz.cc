// SPDX-License-Identifier: Apache-2.0
// Cron text may come from settings, or from users. What is accepted has occurrences, one after the other.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bedplate/base/text.h"
#include "bedplate/schedule/schedule.h"
#include "bedplate/schedule/zones.h"

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bedplate;
  using namespace bedplate::schedule;
  static Zones zones("");
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  is_zone_name(text);
  const auto recurrence = resolve(cron(text, zone("Europe/Berlin")), zones);
  if (!recurrence) {
    expect(is_valid_utf8(recurrence.error().detail()));
    return 0;
  }
  expect(!recurrence->words().empty());
  Time time(std::chrono::sys_days(std::chrono::year(2026) / 3 / 1));
  for (int i = 0; i < 20; ++i) {
    const auto next = recurrence->next_after(time);
    expect(next && *next > time && *next - time < std::chrono::days(366 * 12));
    expect(recurrence->latest(time, *next) == next);
    expect(recurrence->next_after(*next - std::chrono::microseconds(1)) == next);
    time = *next;
  }
  return 0;
}
