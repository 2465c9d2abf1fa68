# SPDX-License-Identifier: Apache-2.0
# Installs the build into an empty prefix, then builds another project against it, runs that project's own tests, and
# a program that checks what was made:
#
#   cmake -DBUILD=... -DWORK=... -DPROJECT=... -DCHECK=command;argument... -DCOMPILER=... -DFLAGS=...
#         [-DTHEN=script.cmake] -P install_test.cmake
#
# CHECK is run in the project's build folder. FLAGS are the sanitizer's, which both sides need, as they need the
# compiler that the library was built with. THEN goes on with what is installed.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${folder}
                  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}\nended with ${status}:\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK}/build)
set(folder ${WORK}/build)
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
run(${CMAKE_COMMAND} -S ${PROJECT} -B . -G Ninja -DCMAKE_PREFIX_PATH=${WORK}/prefix
    -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_CXX_FLAGS=${FLAGS} -DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER})
run(${CMAKE_COMMAND} --build .)
run(${CMAKE_CTEST_COMMAND} --output-on-failure)
run(${CHECK})
if(THEN)
  include(${THEN})
endif()
# What is installed is large, and nobody looks at it again.
file(REMOVE_RECURSE ${WORK})
