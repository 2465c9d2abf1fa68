# SPDX-License-Identifier: Apache-2.0
# The check of coroutines that the package brings, on a project with mistakes: included by install_test.cmake, with
# `run`, WORK and FLAGS; the library is in ${WORK}/prefix.
set(project ${WORK}/coroutines)
file(COPY ${CMAKE_CURRENT_LIST_DIR}/coroutines DESTINATION ${WORK})
file(GLOB_RECURSE templates ${project}/*.in)  # not named as sources, lest the project's own check finds their mistakes
foreach(template ${templates})
  string(REGEX REPLACE "\\.in$" "" source ${template})
  file(RENAME ${template} ${source})
endforeach()

# The pattern is found so many times in the text.
function(expect text pattern count)
  string(REPLACE ";" "," text "${text}")  # It would end an item of the list of matches.
  string(REGEX MATCHALL "${pattern}" matches "${text}")
  list(LENGTH matches found)
  if(NOT found EQUAL count)
    message(FATAL_ERROR "${found} times, not ${count}: ${pattern}\nin\n${text}")
  endif()
endfunction()

# try_build(compiler options...): sets `configured`, `built` and `status`.
function(try_build compiler)
  file(REMOVE_RECURSE ${project}/build)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${project} -B ${project}/build -G Ninja
                          -DCMAKE_PREFIX_PATH=${WORK}/prefix -DCMAKE_CXX_COMPILER=${compiler}
                          -DCMAKE_CXX_FLAGS=${FLAGS} -DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER} ${ARGN}
                  OUTPUT_VARIABLE configured ERROR_VARIABLE configured COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${project}/build -- -k 0
                  OUTPUT_VARIABLE built ERROR_VARIABLE built RESULT_VARIABLE status)
  set(configured "${configured}" PARENT_SCOPE)
  set(built "${built}" PARENT_SCOPE)
  set(status ${status} PARENT_SCOPE)
endfunction()

find_program(gcc NAMES g++-12 g++ REQUIRED)
execute_process(COMMAND ${gcc} -dumpversion OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
if(version VERSION_LESS 14)
  # By default: one warning, and the build ends before anything is compiled.
  try_build(${gcc})
  expect("${configured}" "CMake Warning" 1)
  expect("${configured}" "which ends the[ \n]+process" 1)
  expect("${built}" "server/server\\.cc:14: error: [^\n]*\\[await-aggregate\\]" 1)
  expect("${built}" "server/server\\.cc:16: error: [^\n]*\\[one-await\\]" 1)
  expect("${built}" "error: " 2)
  expect("${built}" "Building CXX object server/" 0)
  if(status EQUAL 0)
    message(FATAL_ERROR "the build succeeded:\n${built}")
  endif()
  # Mended, it builds.
  file(COPY_FILE ${project}/server/mended.cc ${project}/server/server.cc)
  run(${CMAKE_COMMAND} --build ${project}/build)
  # The header is read too.
  file(READ ${project}/server/message.h text)
  string(REPLACE "// tidy:" "// no:" text "${text}")
  file(WRITE ${project}/server/message.h "${text}")
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${project}/build
                  OUTPUT_VARIABLE built ERROR_VARIABLE built RESULT_VARIABLE status)
  expect("${built}" "server/message\\.h:16: error: [^\n]*\\[await-aggregate\\]" 1)
  # Switched off: still a warning, no check.
  execute_process(COMMAND ${CMAKE_COMMAND} -DBEDPLATE_CHECK_COROUTINES=OFF ${project}/build
                  OUTPUT_VARIABLE configured ERROR_VARIABLE configured COMMAND_ERROR_IS_FATAL ANY)
  expect("${configured}" "CMake Warning" 1)
  run(${CMAKE_COMMAND} --build ${project}/build)
endif()
# Compilers without the fault: neither warning nor check, unless it is asked for.
try_build(${COMPILER} -DBEDPLATE_CHECK_COROUTINES=ON)
expect("${configured}" "CMake Warning" 0)
expect("${built}" "server/message\\.h:16: error: " 1)
run(${CMAKE_COMMAND} -DBEDPLATE_CHECK_COROUTINES=OFF ${project}/build)
run(${CMAKE_COMMAND} --build ${project}/build)
