// SPDX-License-Identifier: Apache-2.0
// Trace headers come from anybody: whatever the bytes, they are read or refused, and what was read comes
// back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bedplate/telemetry/trace.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bedplate::telemetry;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto context = parse_traceparent(text)) {
    if (parse_traceparent(to_traceparent(*context)) != context) std::abort();
  }
  const std::size_t half = size / 2;
  const std::string_view headers[] = {text.substr(0, half), text.substr(half)};
  const std::string joined = join_tracestate(headers);
  const std::string_view again[] = {joined};
  if (joined.size() > kTracestateSizeMax || join_tracestate(again) != joined) std::abort();
  return 0;
}
