// SPDX-License-Identifier: Apache-2.0
#include "bedplate/app/events_module.h"

#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include "bedplate/base/text.h"

namespace bedplate::app {
namespace {

using events::EventLog;
using events::StoredEvent;

constexpr std::int64_t kListedByDefault = 100;

/// The value of an option that is a number from 1 on.
Result<std::int64_t> number_of(std::span<const std::string> arguments, std::string_view option,
                               std::int64_t absent, std::int64_t max) {
  const auto text = value_of(arguments, option);
  if (!text) return absent;
  const auto number = parse_int(*text);
  if (number && *number >= 1 && *number <= max) return *number;
  return fail(Category::invalid, kWrongCall,
              std::string(option) + " is a number from 1 to " + std::to_string(max) + ".");
}

/// Its data is JSON already.
std::string json_of(const StoredEvent& event) {
  std::string text = "{\"position\":" + std::to_string(event.position) + ",\"id\":\"" + event.id.to_string() +
                     "\",\"type\":";
  append_json_string(text, event.type);
  text += ",\"stream\":";
  append_json_string(text, event.stream);
  text += ",\"version\":" + std::to_string(event.version) + ",\"at\":\"" + to_rfc3339(event.at) +
          "\",\"data\":" + event.data + "}";
  return text;
}

void print(const std::vector<StoredEvent>& found, bool as_json) {
  if (as_json) {
    std::printf("[");
    for (std::size_t i = 0; i < found.size(); ++i)
      std::printf("%s%s", i == 0 ? "" : ",\n ", json_of(found[i]).c_str());
    std::puts("]");
    return;
  }
  for (const StoredEvent& event : found)
    std::printf("%8lld  %s  %-24s %s %lld\n", static_cast<long long>(event.position),
                to_rfc3339(std::chrono::floor<std::chrono::milliseconds>(event.at)).c_str(),
                event.type.c_str(), event.stream.c_str(), static_cast<long long>(event.version));
  if (found.empty()) std::puts("There are no events.");
}

Result<void> list(Host& host, std::span<const std::string> arguments) {
  const auto limit = number_of(arguments, "--limit", kListedByDefault, events::kEventPageMax);
  if (!limit) return std::unexpected(limit.error().clone());
  constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
  const auto before = number_of(arguments, "--after", kEnd, kEnd);
  if (!before) return std::unexpected(before.error().clone());
  const EventLog log(host.database());
  auto found = host.wait_for(log.newest(*before, *limit));
  if (!found) return std::unexpected(std::move(found.error()));
  bool as_json = false;
  for (const std::string& argument : arguments) as_json |= argument == "--json";
  print(*found, as_json);
  return {};
}

}  // namespace

namespace {

Result<void> start(Host& host, events::Consumers& consumers) {
  if (auto ready =
          consumers.prepare(host.executor(), host.database(), host.declared_consumers(), host.event_types());
      !ready)
    return ready;
  if (host.purpose() != HostPurpose::serve || !host.settings().events.consume) return {};
  for (const std::string& name : consumers.names())
    host.in_background("events: consumer " + name, [&consumers, name] { return consumers.run(name); });
  return {};
}

}  // namespace

Module events_module(events::EventSettings& settings) {
  return Module("events", "What happened")
      .migrations(events::event_migrations())
      .settings("events", settings)
      .wire([&settings](Host& host) {
        auto& consumers = host.make<events::Consumers>(host.clock());
        host.commit_with(consumers.position_hook());
        host.consume_with(consumers);
        host.on_start([&host, &consumers] { return start(host, consumers); });
        host.in_background("events: sequencer",
                           [&host, &settings] { return events::run_sequencer(host.database(), settings); });
        host.in_background("events: retention", [&host, &settings] {
          return events::run_retention(host.database(), settings, host.clock());
        });
      })
      .cli({.name = "events list",
            .doc = "Print events, newest first",
            .group_doc = "Look at the log of events",
            .flags = {{"--json", "As a JSON array"},
                      {"--limit", "How many, at most (default: 100)", "N"},
                      {"--after", "Go on after the event at this position: only older ones", "POSITION"}}},
           [](Host& host, std::span<const std::string> arguments) { return list(host, arguments); });
}

}  // namespace bedplate::app
