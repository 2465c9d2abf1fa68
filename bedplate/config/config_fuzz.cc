// SPDX-License-Identifier: Apache-2.0
// Configuration files, flags and variables of any bytes: read or refused, and what is printed can be read
// again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>

#include "bedplate/config/config.h"

namespace {

struct Settings {
  std::string name = "x";
  std::int64_t count = 0;
  double share = 0;
  bool on = false;
  std::vector<std::string> words;
  std::vector<std::int64_t> numbers;
  std::map<std::string, std::int64_t> table;
  std::optional<bedplate::Time> when;

  static consteval auto describe() {
    using namespace bedplate::schema;
    return object<Settings>("Settings", {
                                            field<&Settings::name>(length{0, 1000}),
                                            field<&Settings::count>(range{-5, 1000}),
                                            field<&Settings::share>(),
                                            field<&Settings::on>(),
                                            field<&Settings::words>(length{0, 100}),
                                            field<&Settings::numbers>(),
                                            field<&Settings::table>(),
                                            field<&Settings::when>(),
                                        });
  }
};

bool load(Settings& settings, const bedplate::config::Sources& sources, std::string* printed) {
  bedplate::config::Registry registry;
  registry.add("s", settings);
  if (!registry.load(sources)) return false;
  *printed = registry.print_effective();
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bedplate::config;
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::string printed;
  Settings settings;
  if (load(settings, {.file = File{"fuzz", text}}, &printed)) {
    Settings again;
    std::string ignored;
    if (!load(again, {.file = File{"printed", printed}}, &ignored)) std::abort();
  }
  for (const char* key : {"s.name", "s.count", "s.words", "s.numbers", "s.table", "s.when"}) {
    Settings from_flag;
    Sources sources;
    sources.flags.push_back({"flag", key, text});
    load(from_flag, sources, &printed);
  }
  return 0;
}
