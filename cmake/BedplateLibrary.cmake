# SPDX-License-Identifier: Apache-2.0
# bedplate_library(NAME [FOLDERS folders...] [LINK targets...] [PRIVATE_LINK targets...] [TEST_LINK targets...]
#               [SERVER_TESTS patterns...])
#
# A library is a folder, with the FOLDERS in it that part a large one by subject: every *.cc there is the library
# bedplate_NAME, every *_test.cc its test program bedplate_NAME_test, every *_fuzz.cc a fuzz target of its own name.
# Which headers are installed: cmake/public_headers.txt, and what those include.
# A new file needs no edit here.
#
# The targets made beside the libraries:
#   all_tests                             the test programs (with BEDPLATE_THREADS: of what tests/threads.txt lists)
#   all_fuzzers                           the fuzz targets
#   all_verify_interface_header_sets      compiles each header alone that no source of its own name includes first

add_custom_target(all_tests)
add_custom_target(all_extras_tests)
add_custom_target(all_fuzzers)
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ${BEDPLATE_TESTS})

# A test's own code is compiled to be compiled soon: it is run once, and what it tests is in the libraries.
set(BEDPLATE_TEST_OPTIONS "")
if(BEDPLATE_SANITIZE MATCHES "undefined")
  set(BEDPLATE_TEST_OPTIONS -fno-sanitize=undefined)
endif()

function(bedplate_library name)
  cmake_parse_arguments(LIBRARY "" "" "FOLDERS;LINK;PRIVATE_LINK;TEST_LINK;SERVER_TESTS" ${ARGN})
  set(places "")
  foreach(folder ${LIBRARY_FOLDERS})
    list(APPEND places ${folder}/)
  endforeach()
  foreach(kind headers=*.h sources=*.cc tests=*_test.cc fuzzers=*_fuzz.cc)
    string(REPLACE "=" ";" kind ${kind})
    list(GET kind 0 variable)
    list(GET kind 1 pattern)
    list(TRANSFORM places APPEND ${pattern} OUTPUT_VARIABLE patterns)
    file(GLOB ${variable} CONFIGURE_DEPENDS ${pattern} ${patterns})
  endforeach()
  list(REMOVE_ITEM sources ${tests} ${fuzzers} "")
  set(library bedplate_${name})
  if(sources)
    add_library(${library} STATIC ${sources})
    target_link_libraries(${library} PUBLIC bedplate_flags ${LIBRARY_LINK} PRIVATE ${LIBRARY_PRIVATE_LINK})
    # x.cc includes x.h first (tests/tidy), so that compiling x.cc shows that x.h compiles alone.
    set(own ${sources})
    list(TRANSFORM own REPLACE "\\.cc$" ".h")
    set(alone ${headers})
    list(REMOVE_ITEM alone ${own})
    if(BEDPLATE_FUZZ AND fuzzers)
      target_compile_options(${library} PRIVATE -fsanitize=fuzzer-no-link)
    endif()
  else()
    add_library(${library} INTERFACE)
    target_link_libraries(${library} INTERFACE bedplate_flags ${LIBRARY_LINK})
    set(alone ${headers})
  endif()
  # Apart from the library, which is exported: these headers need not all be installed.
  if(alone AND BEDPLATE_TESTS)
    add_library(${library}_headers INTERFACE)
    target_link_libraries(${library}_headers INTERFACE ${library})
    target_sources(${library}_headers INTERFACE FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${alone})
  endif()
  bedplate_install_library(${name})
  if(BEDPLATE_TESTS AND tests)
    set(server_label servers)
    if(CMAKE_CURRENT_SOURCE_DIR MATCHES "^${PROJECT_SOURCE_DIR}/extras/")
      set(server_label extras)
    endif()
    bedplate_test(${library}_test MODULE ${name} LABEL unit SERVER_LABEL ${server_label} SOURCES ${tests}
                  LINK ${library} ${LIBRARY_TEST_LINK} SERVER_TESTS ${LIBRARY_SERVER_TESTS})
  endif()
  if(BEDPLATE_FUZZ)
    foreach(source ${fuzzers})
      get_filename_component(target ${source} NAME_WE)
      add_executable(${target} ${source})
      target_link_libraries(${target} PRIVATE ${library} -fsanitize=fuzzer)
      target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
      set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzzers
                                                 EXCLUDE_FROM_ALL TRUE)
      add_dependencies(all_fuzzers ${target})
    endforeach()
  endif()
endfunction()

# bedplate_test(target MODULE name LABEL unit|servers|e2e SOURCES files... LINK targets... [SERVER_TESTS patterns...])
#
# A GoogleTest program whose suites ctest runs one by one, as MODULE.Suite (tests/runner).
#
# A program that links test_servers has tests of two kinds: those with PostgreSQL, Redis or Outage in their names, or
# that match one of SERVER_TESTS ("Replicas.*"), are labelled `servers` and find the shared servers of tests/servers
# running. The others are labelled LABEL; where that is `unit`, they are refused a server. Suites with Soak in their names
# are labelled `soak`: cases that take long, which only `./dev test soak` runs.
#
# SERVER_LABEL replaces `servers`: of extras/ it is `extras`, and those tests are run by `./dev test extras` alone; with
# BEDPLATE_THREADS that is all tests of extras/, and their programs belong to the target all_extras_tests.
function(bedplate_test target)
  cmake_parse_arguments(TEST "" "MODULE;LABEL;SERVER_LABEL" "SOURCES;LINK;SERVER_TESTS" ${ARGN})
  if(BEDPLATE_THREADS)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/threads.txt)
    file(STRINGS ${PROJECT_SOURCE_DIR}/tests/threads.txt threaded REGEX "^[^#]")
    list(TRANSFORM threaded PREPEND ${PROJECT_SOURCE_DIR}/)
    set(tests ${TEST_SOURCES})
    list(FILTER tests INCLUDE REGEX "_test\\.cc$")
    set(left ${tests})
    list(REMOVE_ITEM left ${threaded} "")
    list(REMOVE_ITEM TEST_SOURCES ${left} "")
    if(tests STREQUAL left)
      return()
    endif()
  endif()
  add_executable(${target} ${TEST_SOURCES})
  target_compile_options(${target} PRIVATE ${BEDPLATE_TEST_OPTIONS})
  target_link_libraries(${target} PRIVATE ${TEST_LINK} GTest::gtest GTest::gmock GTest::gtest_main)
  if(NOT TEST_SERVER_LABEL)
    set(TEST_SERVER_LABEL servers)
  endif()
  if(BEDPLATE_THREADS AND TEST_SERVER_LABEL STREQUAL "extras")
    set(TEST_LABEL extras)
    add_dependencies(all_extras_tests ${target})
  else()
    add_dependencies(all_tests ${target})
  endif()
  set(soak "*Soak*")
  if(NOT test_servers IN_LIST TEST_LINK AND NOT test_kits IN_LIST TEST_LINK)
    bedplate_discover(${target} ${TEST_MODULE} ${TEST_LABEL} "-${soak}")
    bedplate_discover(${target} ${TEST_MODULE} soak "${soak}")
    return()
  endif()
  bedplate_discover(${target} ${TEST_MODULE} soak "${soak}" FIXTURES_REQUIRED servers)
  if(NOT TEST_LABEL STREQUAL "unit")
    bedplate_discover(${target} ${TEST_MODULE} ${TEST_LABEL} "-${soak}" FIXTURES_REQUIRED servers)
  else()
    list(JOIN TEST_SERVER_TESTS ":" patterns)
    string(PREPEND patterns "*ostgres*:*Redis*:*Outage*:")
    bedplate_discover(${target} ${TEST_MODULE} ${TEST_SERVER_LABEL} "${patterns}-${soak}" FIXTURES_REQUIRED servers)
    bedplate_discover(${target} ${TEST_MODULE} unit "-${patterns}:${soak}"
                      ENVIRONMENT_MODIFICATION BEDPLATE_UNIT_TEST=set:1)
  endif()
endfunction()

# Makes ctest know the suites with cases that match the filter; further arguments are properties of theirs. The limit is
# for what is stuck: a test waits for each thing up to a minute (tests/kits/patience_kit.h), and a suite has many.
#
# A slot is a third of a core: what computes takes three, what waits for servers and clocks takes two.
function(bedplate_discover target library label filter)
  set(slots 2)
  if(label STREQUAL "unit")
    set(slots 3)
  endif()
  set(file ${CMAKE_CURRENT_BINARY_DIR}/${target}-${label})
  set(run ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/runner/run_suite.py ${PROJECT_BINARY_DIR}/test_results)
  set(properties TIMEOUT 900 PROCESSORS ${slots} ENVIRONMENT UBSAN_OPTIONS=print_stacktrace=1 ${ARGN})
  foreach(list run properties)
    list(TRANSFORM ${list} REPLACE "(.+)" "[=[\\1]=]")
    list(JOIN ${list} " " ${list})
  endforeach()
  file(GENERATE OUTPUT ${file}.ctest.cmake CONTENT
"set(PROGRAM \"$<TARGET_FILE:${target}>\")
set(MODULE ${library})
set(LABEL ${label})
set(OWN_LABEL ${TEST_LABEL})
set(FILTER [=[${filter}]=])
set(RUN [==[${run}]==])
set(PROPERTIES [==[${properties}]==])
set(LIST \"${file}.suites.cmake\")
set(SCRIPTS \"${file}.ctest.cmake\")
include(${PROJECT_SOURCE_DIR}/tests/runner/discover.cmake)
")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${file}.ctest.cmake)
endfunction()

# bedplate_compile_fail(library header [ALSO_GCC])
#
# Each compile_fail/*.cc of this folder is a test, library.compile_fail.NAME: a program that must not compile, and what the
# compiler is to say (compile_fail.cmake). They include `header` first, which is compiled once for all of them, because
# reading it takes ten times as long as the rest of a case. ALSO_GCC: what the language does not promise, so GCC is asked
# as well where it is not the compiler of the build (library.compile_fail_gcc.NAME).
function(bedplate_compile_fail library header)
  if(NOT BEDPLATE_TESTS OR BEDPLATE_THREADS)
    return()
  endif()
  set(compiled ${CMAKE_CURRENT_BINARY_DIR}/compiled_header)
  file(MAKE_DIRECTORY ${compiled})
  add_custom_command(
    OUTPUT ${compiled}/header.pch DEPENDS ${PROJECT_SOURCE_DIR}/${header} DEPFILE ${compiled}/header.d
    COMMAND ${CMAKE_CXX_COMPILER} -std=c++23 -w -I${PROJECT_SOURCE_DIR} -x c++-header ${PROJECT_SOURCE_DIR}/${header}
            -o ${compiled}/header.pch -MD -MF ${compiled}/header.d -MT ${compiled}/header.pch)
  add_custom_target(${library}_compiled_header ALL DEPENDS ${compiled}/header.pch)
  add_dependencies(all_tests ${library}_compiled_header)
  find_program(BEDPLATE_GCC NAMES g++-12 g++)
  file(GLOB cases CONFIGURE_DEPENDS compile_fail/*.cc)
  foreach(case ${cases})
    get_filename_component(name ${case} NAME_WE)
    add_test(NAME ${library}.compile_fail.${name}
             COMMAND ${CMAKE_COMMAND} -DCOMPILER=${CMAKE_CXX_COMPILER} -DSOURCE=${case} -DCOMPILED=${compiled}/header.pch
                     -DINCLUDE=${PROJECT_SOURCE_DIR} -P ${PROJECT_SOURCE_DIR}/cmake/compile_fail.cmake)
    set_tests_properties(${library}.compile_fail.${name} PROPERTIES LABELS "unit;compile_fail" TIMEOUT 300)
    if("ALSO_GCC" IN_LIST ARGN AND BEDPLATE_GCC AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      add_test(NAME ${library}.compile_fail_gcc.${name}
               COMMAND ${CMAKE_COMMAND} -DCOMPILER=${BEDPLATE_GCC} -DSOURCE=${case}
                       -DINCLUDE=${PROJECT_SOURCE_DIR} -P ${PROJECT_SOURCE_DIR}/cmake/compile_fail.cmake)
      set_tests_properties(${library}.compile_fail_gcc.${name} PROPERTIES LABELS "unit;compile_fail" TIMEOUT 300)
    endif()
  endforeach()
endfunction()
