# SPDX-License-Identifier: Apache-2.0
# GCC before 14 compiles some forms of co_await wrongly: an aggregate made within an awaited call is destroyed twice,
# which ends the process. So every target of a project that links Bedplate:: is checked for these forms before it is
# compiled (coroutine_check.py says which), and the build fails with file, line, and what to write instead.
#
#   -DBEDPLATE_CHECK_COROUTINES=OFF    no check; ON: also with other compilers. Default: ON with GCC before 14
#
# Needs Python 3.
set(bedplate_faulty_gcc OFF)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
  set(bedplate_faulty_gcc ON)
endif()
option(BEDPLATE_CHECK_COROUTINES "Refuse forms of co_await that GCC before 14 compiles wrongly" ${bedplate_faulty_gcc})

# Whether `target` links Bedplate::, itself or through other targets, which are noted in the property
# bedplate_seen so that none is visited twice.
function(bedplate_is_linked target result)
  set(${result} OFF PARENT_SCOPE)
  get_property(seen GLOBAL PROPERTY bedplate_seen)
  if(target IN_LIST seen OR NOT TARGET ${target})
    return()
  endif()
  set_property(GLOBAL APPEND PROPERTY bedplate_seen ${target})
  set(links "")
  foreach(property LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
    get_target_property(value ${target} ${property})
    if(value)
      list(APPEND links ${value})
    endif()
  endforeach()
  if("${links}" MATCHES "(^|[^A-Za-z0-9_])Bedplate::")
    set(${result} ON PARENT_SCOPE)
    return()
  endif()
  foreach(link IN LISTS links)
    bedplate_is_linked("${link}" linked)
    if(linked)
      set(${result} ON PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# The C++ sources of `target` that somebody wrote.
function(bedplate_sources target result)
  get_target_property(names ${target} SOURCES)
  get_target_property(directory ${target} SOURCE_DIR)
  set(sources "")
  foreach(name IN LISTS names)
    if(NOT name MATCHES "\\.(cc|cpp|cxx|c\\+\\+|C|h|hh|hpp|hxx)$" OR name MATCHES "^\\$<")
      continue()
    endif()
    cmake_path(ABSOLUTE_PATH name BASE_DIRECTORY "${directory}")
    get_source_file_property(generated "${name}" TARGET_DIRECTORY ${target} GENERATED)
    if(NOT generated AND EXISTS "${name}")
      list(APPEND sources "${name}")
    endif()
  endforeach()
  set(${result} "${sources}" PARENT_SCOPE)
endfunction()

function(bedplate_check_target target)
  set_property(GLOBAL PROPERTY bedplate_seen "")
  bedplate_is_linked(${target} linked)
  if(NOT linked)
    return()
  endif()
  bedplate_sources(${target} sources)
  if(NOT sources)
    return()
  endif()
  get_target_property(directory ${target} SOURCE_DIR)
  get_property(check GLOBAL PROPERTY bedplate_coroutine_check)
  set(stamp "${CMAKE_BINARY_DIR}/CMakeFiles/bedplate_coroutines_${target}.stamp")
  add_custom_command(
    OUTPUT "${stamp}"
    COMMAND ${check} --stamp "${stamp}" --depfile "${stamp}.d" --include "${directory}"
            --include "${CMAKE_SOURCE_DIR}" ${sources}
    DEPENDS ${sources}
    DEPFILE "${stamp}.d"
    COMMENT "Checking the coroutines of ${target}"
    VERBATIM)
  add_custom_target(${target}_bedplate_coroutines DEPENDS "${stamp}")
  add_dependencies(${target} ${target}_bedplate_coroutines)
endfunction()

# Every target of `directory` and of those below it.
function(bedplate_check_directory directory)
  get_property(targets DIRECTORY "${directory}" PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type MATCHES "^(EXECUTABLE|(STATIC|SHARED|MODULE|OBJECT)_LIBRARY)$")
      bedplate_check_target(${target})
    endif()
  endforeach()
  get_property(below DIRECTORY "${directory}" PROPERTY SUBDIRECTORIES)
  foreach(child IN LISTS below)
    bedplate_check_directory("${child}")
  endforeach()
endfunction()

# Once a project, when all its targets are known.
get_property(bedplate_prepared GLOBAL PROPERTY bedplate_coroutine_check SET)
if(NOT bedplate_prepared)
  set(bedplate_then "keep BEDPLATE_CHECK_COROUTINES on, which refuses such statements")
  set_property(GLOBAL PROPERTY bedplate_coroutine_check "")
  if(BEDPLATE_CHECK_COROUTINES)
    find_package(Python3 QUIET COMPONENTS Interpreter)
  endif()
  if(BEDPLATE_CHECK_COROUTINES AND Python3_Interpreter_FOUND)
    set_property(GLOBAL PROPERTY bedplate_coroutine_check
                 "${Python3_EXECUTABLE}" "${CMAKE_CURRENT_LIST_DIR}/coroutine_check.py")
    cmake_language(DEFER DIRECTORY "${CMAKE_SOURCE_DIR}" CALL bedplate_check_directory "${CMAKE_SOURCE_DIR}")
  elseif(BEDPLATE_CHECK_COROUTINES)
    set(bedplate_then "install Python 3, without which the check for such statements does not run")
  else()
    set(bedplate_then "set BEDPLATE_CHECK_COROUTINES, which refuses such statements")
  endif()
  if(bedplate_faulty_gcc)
    message(WARNING "GCC ${CMAKE_CXX_COMPILER_VERSION} destroys temporaries of co_await twice, which ends the process: "
                    "build with clang 19, or ${bedplate_then}.")
  endif()
endif()
