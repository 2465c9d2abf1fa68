# SPDX-License-Identifier: Apache-2.0
# What every target is compiled with. Included once, by the root.

option(BEDPLATE_TESTS "Build the unit and end-to-end tests" ON)
option(BEDPLATE_FUZZ "Build the fuzz targets (clang only)" OFF)
option(BEDPLATE_THREADS "Build the tests that tests/threads.txt lists only" OFF)
set(BEDPLATE_SANITIZE "" CACHE STRING "Value for -fsanitize=, for example address,undefined")

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# What users of the library need as well.
add_library(bedplate_flags INTERFACE)
set_target_properties(bedplate_flags PROPERTIES EXPORT_NAME flags)
target_compile_features(bedplate_flags INTERFACE cxx_std_23)
target_include_directories(bedplate_flags INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
                           $<INSTALL_INTERFACE:include>)

# What only this project asks of itself.
add_compile_options(-Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
                    -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  add_compile_options(-Wno-restrict)  # Warns about std::string's own code: gcc.gnu.org/PR105651
  if(BEDPLATE_SANITIZE MATCHES "thread")
    add_compile_options(-Wno-free-nonheap-object)  # Takes a member of a coroutine's frame for a freed one
  endif()
endif()

if(BEDPLATE_SANITIZE)
  add_compile_options(-fsanitize=${BEDPLATE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${BEDPLATE_SANITIZE})
endif()

find_program(BEDPLATE_MOLD mold)
if(BEDPLATE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
find_program(BEDPLATE_CCACHE ccache)
if(BEDPLATE_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${BEDPLATE_CCACHE})
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
if(BEDPLATE_TESTS)
  find_package(GTest REQUIRED)
  find_package(rapidcheck REQUIRED)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
endif()
