# Installs the build into an empty prefix, then builds another project against it and runs what it made:
#
#   cmake -DBUILD=... -DWORK=... -DPROJECT=... -DPROGRAM=... -DEXPECT=... -DFLAGS=... -P install_test.cmake
#
# EXPECT is a regular expression for PROGRAM's output. FLAGS are the sanitizer's, which both sides need.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}\nended with ${status}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
run(${CMAKE_COMMAND} -S ${PROJECT} -B ${WORK}/build -G Ninja -DCMAKE_PREFIX_PATH=${WORK}/prefix
    -DCMAKE_CXX_FLAGS=${FLAGS} -DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER})
run(${CMAKE_COMMAND} --build ${WORK}/build)
if(PROGRAM)
  run(${WORK}/build/${PROGRAM})
  if(NOT output MATCHES "${EXPECT}")
    message(FATAL_ERROR "${PROGRAM} said:\n${output}\nwanted: ${EXPECT}")
  endif()
endif()
