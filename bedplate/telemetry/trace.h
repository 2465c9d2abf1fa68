// SPDX-License-Identifier: Apache-2.0
// W3C Trace Context, level 1: which trace a request belongs to, taken from its headers and passed on.
//
//   std::optional<TraceContext> parent = parse_traceparent(header);
//   TraceContext mine = parent ? child_of(*parent) : new_trace();
//   char out[kTraceparentSize];
//   write_traceparent(mine, out);   // "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
//
// https://www.w3.org/TR/trace-context-1/. A header that cannot be read is as good as none: a new trace
// begins, and its tracestate is dropped with it. Free functions without state, safe from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace bedplate::telemetry {

struct TraceContext {
  std::array<std::uint8_t, 16> trace_id{};
  std::array<std::uint8_t, 8> span_id{};
  bool sampled = false;

  bool operator==(const TraceContext&) const = default;
};

inline constexpr std::size_t kTraceparentSize = 55;

/// Reads a traceparent header (section 3.2): version 00 exactly, later versions by their first four fields.
/// Nothing for version ff, upper case, all-zero ids, or any other form. Two such headers on one request are
/// none: do not join them.
std::optional<TraceContext> parse_traceparent(std::string_view header);

/// Writes version 00 with the one flag this level knows. Room: kTraceparentSize, which is what it writes.
void write_traceparent(const TraceContext& context, char* out);
std::string to_traceparent(const TraceContext& context);

/// The root of a new trace, with random ids.
TraceContext new_trace(bool sampled = false);
/// A new span in the parent's trace; the parent's decision to sample holds.
TraceContext child_of(const TraceContext& parent);

inline constexpr std::size_t kTracestateSizeMax = 512;
inline constexpr std::size_t kTracestateMembersMax = 32;

/// The tracestate to pass on, from all such headers of a request in order (section 3.3): "" when any member
/// is malformed, a key stands twice, or there are more than kTracestateMembersMax. When it is longer than
/// kTracestateSizeMax, whole members go: first those over 128 characters, then from the end.
std::string join_tracestate(std::span<const std::string_view> headers);

/// The trace of a request that is being answered, for what it calls in turn.
struct RequestTrace {
  TraceContext span;       ///< this request's own, in the trace of its caller
  std::string tracestate;  ///< as it goes on; empty when there was none, or it could not be read
};

}  // namespace bedplate::telemetry
