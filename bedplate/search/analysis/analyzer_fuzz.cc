// SPDX-License-Identifier: Apache-2.0
// Fuzz target: any bytes are read as words, whose places and forms hold what the header says.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "bedplate/base/text.h"
#include "bedplate/search/analysis/analyzer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bedplate;
  if (size == 0) return 0;
  const int languages = static_cast<int>(bedplate::search::analysis::Language::yiddish) + 1;
  bedplate::search::analysis::Analyzer analyzer(
      static_cast<bedplate::search::analysis::Language>(data[0] % languages));
  std::size_t behind = 0;
  analyzer.each({reinterpret_cast<const char*>(data) + 1, size - 1},
                [&](bedplate::search::analysis::Word& word) {
                  if (word.begin < behind || word.end <= word.begin || word.end > size - 1) __builtin_trap();
                  behind = word.end;
                  for (std::string_view form : word.document_forms())
                    if (form.empty() || form.size() > 2 * bedplate::search::analysis::kWordSizeMax ||
                        !is_valid_utf8(form))
                      __builtin_trap();
                  return true;
                });
  return 0;
}
