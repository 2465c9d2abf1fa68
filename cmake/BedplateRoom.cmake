# bedplate_room(NAME [FOLDERS folders...] [LINK targets...] [PRIVATE_LINK targets...] [TEST_LINK targets...])
#
# A room is a folder, with the FOLDERS in it that part a large one by subject: every *.cc there is the library
# bedplate_NAME, every *_test.cc its test program bedplate_NAME_test, every *_fuzz.cc a fuzz target of its own name.
# A new file needs no edit here.
#
# The targets made beside the libraries:
#   all_tests                             the test programs (BEDPLATE_TEST_ROOMS says of which rooms)
#   all_verify_interface_header_sets      compiles each header alone

add_custom_target(all_tests)
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ${BEDPLATE_TESTS})

function(bedplate_room name)
  cmake_parse_arguments(ROOM "" "" "FOLDERS;LINK;PRIVATE_LINK;TEST_LINK" ${ARGN})
  set(places "")
  foreach(folder ${ROOM_FOLDERS})
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
    target_link_libraries(${library} PUBLIC bedplate_flags ${ROOM_LINK} PRIVATE ${ROOM_PRIVATE_LINK})
    target_sources(${library} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${headers})
  else()
    add_library(${library} INTERFACE)
    target_link_libraries(${library} INTERFACE bedplate_flags ${ROOM_LINK})
    target_sources(${library} INTERFACE FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${headers})
  endif()
  bedplate_install_room(${name})
  if(BEDPLATE_TESTS AND tests)
    bedplate_test(${library}_test ROOM ${name} LABEL unit SOURCES ${tests} LINK ${library} ${ROOM_TEST_LINK})
  endif()
  if(BEDPLATE_FUZZ)
    foreach(source ${fuzzers})
      get_filename_component(target ${source} NAME_WE)
      add_executable(${target} ${source})
      target_link_libraries(${target} PRIVATE ${library} -fsanitize=fuzzer)
      set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzzers)
    endforeach()
  endif()
endfunction()

# bedplate_test(target ROOM name LABEL unit|e2e|tidy SOURCES files... LINK targets...)
#
# A GoogleTest program whose tests ctest runs one by one, as ROOM.Suite.Test. One that links test_servers finds the
# shared servers of tests/servers running.
function(bedplate_test target)
  cmake_parse_arguments(TEST "" "ROOM;LABEL" "SOURCES;LINK" ${ARGN})
  if(BEDPLATE_TEST_ROOMS AND NOT TEST_ROOM IN_LIST BEDPLATE_TEST_ROOMS)
    return()
  endif()
  add_executable(${target} ${TEST_SOURCES})
  target_link_libraries(${target} PRIVATE ${TEST_LINK} GTest::gtest GTest::gmock GTest::gtest_main)
  add_dependencies(all_tests ${target})
  set(fixture "")
  if(test_servers IN_LIST TEST_LINK)
    set(fixture FIXTURES_REQUIRED servers)
  endif()
  gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST TEST_PREFIX ${TEST_ROOM}.
                       PROPERTIES LABELS ${TEST_LABEL} TIMEOUT 120 ${fixture}
                                  ENVIRONMENT "UBSAN_OPTIONS=print_stacktrace=1")
endfunction()
