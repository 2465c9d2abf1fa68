// SPDX-License-Identifier: Apache-2.0
// Files that are part of the program: see bedplate_embed() in cmake/BedplateEmbed.cmake.
#pragma once

#include <string_view>

namespace bedplate {

/// One file inside the binary. Both views live as long as the program; a NUL byte follows the last of
/// `bytes`.
struct EmbeddedFile {
  std::string_view name;   ///< Path below the BASE given to bedplate_embed(), with '/' between its parts.
  std::string_view bytes;  ///< The whole file, as it was when the program was built.
};

}  // namespace bedplate
