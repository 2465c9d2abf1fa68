# SPDX-License-Identifier: Apache-2.0
# bedplate_embed(TARGET target NAME name NAMESPACE namespace [BASE directory] FILES file...)
#
# Puts files into the program, so that the binary needs nothing beside it:
#
#   bedplate_embed(TARGET tasks NAME tasks_migrations NAMESPACE my::tasks
#                  BASE migrations FILES migrations/0001_tasks.up.sql migrations/0001_tasks.down.sql)
#
#   #include "tasks_migrations.h"                       // generated, on the target's include path
#   for (const bedplate::EmbeddedFile& file : my::tasks::tasks_migrations()) use(file.name, file.bytes);
#
# TARGET is a library or program that links bedplate_base (or Bedplate::bedplate). Files are named relative to
# BASE (default: the current source directory) and listed in the order given. A changed file rebuilds the
# target; a file that is missing and that no rule makes fails at configure time. FILES may be made by the build
# (add_custom_command in the same directory): then give their full path in the binary directory.
#
# How: the assembler's .incbin copies the bytes straight into .rodata. That costs nothing to compile, however
# large the file, and needs no language but C++. Works with GCC and clang on ELF systems.
function(bedplate_embed)
  cmake_parse_arguments(PARSE_ARGV 0 EMBED "" "TARGET;NAME;NAMESPACE;BASE" "FILES")
  foreach(argument TARGET NAME NAMESPACE FILES)
    if(NOT EMBED_${argument})
      message(FATAL_ERROR "bedplate_embed: say ${argument}. Usage: "
                          "bedplate_embed(TARGET t NAME name NAMESPACE a::b [BASE dir] FILES file...)")
    endif()
  endforeach()
  if(NOT TARGET ${EMBED_TARGET})
    message(FATAL_ERROR "bedplate_embed: there is no target '${EMBED_TARGET}' yet; add it first.")
  endif()
  if(EMBED_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "bedplate_embed: unexpected '${EMBED_UNPARSED_ARGUMENTS}'.")
  endif()
  get_filename_component(base "${EMBED_BASE}" ABSOLUTE)

  # The symbols are global (link-time optimisation may part them from their users) but hidden.
  string(MAKE_C_IDENTIFIER "bedplate_embedded_${EMBED_NAMESPACE}_${EMBED_NAME}" prefix)
  set(assembly "")
  set(declarations "")
  set(entries "")
  set(paths "")
  set(index 0)
  foreach(file IN LISTS EMBED_FILES)
    get_filename_component(path "${file}" ABSOLUTE)
    get_source_file_property(generated "${path}" GENERATED)
    if(NOT EXISTS "${path}" AND NOT generated)
      message(FATAL_ERROR "bedplate_embed: ${path} does not exist (wanted by ${EMBED_NAME}).")
    endif()
    file(RELATIVE_PATH name "${base}" "${path}")
    string(REGEX REPLACE "([\\\\\"])" "\\\\\\1" quoted_path "${path}")
    # Twice quoted: once for the assembler's string, once for the C++ string that holds it.
    string(REGEX REPLACE "([\\\\\"])" "\\\\\\1" quoted_path "${quoted_path}")
    string(REGEX REPLACE "([\\\\\"])" "\\\\\\1" quoted_name "${name}")
    set(symbol ${prefix}_${index})
    string(APPEND assembly
      "    \".globl ${symbol}, ${symbol}_size\\n.hidden ${symbol}, ${symbol}_size\\n\"\n"
      "    \".balign 16\\n${symbol}:\\n\"\n"
      "    \".incbin \\\"${quoted_path}\\\"\\n\"\n"
      "    \"${symbol}_end:\\n.byte 0\\n.balign 8\\n\"\n"
      "    \"${symbol}_size: .quad ${symbol}_end - ${symbol}\\n\"\n")
    string(APPEND declarations
      "[[gnu::visibility(\"hidden\")]] extern const char ${symbol}[];\n"
      "[[gnu::visibility(\"hidden\")]] extern const std::uint64_t ${symbol}_size;\n")
    string(APPEND entries "      {\"${quoted_name}\", {${symbol}, ${symbol}_size}},\n")
    list(APPEND paths "${path}")
    math(EXPR index "${index} + 1")
  endforeach()

  set(directory "${CMAKE_CURRENT_BINARY_DIR}/embedded/${EMBED_TARGET}")
  set(header "${directory}/${EMBED_NAME}.h")
  set(source "${directory}/${EMBED_NAME}.cc")
  file(GENERATE OUTPUT "${header}" CONTENT
"// Made by bedplate_embed() in ${CMAKE_CURRENT_SOURCE_DIR}/CMakeLists.txt.
#pragma once

#include <span>

#include \"bedplate/base/embedded.h\"

namespace ${EMBED_NAMESPACE} {

/// The ${index} embedded files, in the order of the build file. Lives as long as the program; thread-safe.
std::span<const ::bedplate::EmbeddedFile> ${EMBED_NAME}();

}  // namespace ${EMBED_NAMESPACE}
")
  file(GENERATE OUTPUT "${source}" CONTENT
"// Made by bedplate_embed() in ${CMAKE_CURRENT_SOURCE_DIR}/CMakeLists.txt.
#include \"${EMBED_NAME}.h\"

#include <cstdint>

asm(\".pushsection .rodata, \\\"a\\\"\\n\"
${assembly}    \".popsection\\n\");

extern \"C\" {
${declarations}}

namespace ${EMBED_NAMESPACE} {

std::span<const ::bedplate::EmbeddedFile> ${EMBED_NAME}() {
  static const ::bedplate::EmbeddedFile files[] = {
${entries}  };
  return files;
}

}  // namespace ${EMBED_NAMESPACE}
")
  # The compiler's dependency file does not know about .incbin.
  set_source_files_properties("${source}" PROPERTIES OBJECT_DEPENDS "${paths}")
  target_sources(${EMBED_TARGET} PRIVATE "${source}" "${header}")
  target_include_directories(${EMBED_TARGET} PUBLIC "$<BUILD_INTERFACE:${directory}>")
endfunction()
