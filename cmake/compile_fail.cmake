# SPDX-License-Identifier: Apache-2.0
# cmake -DCOMPILER=clang++ -DSOURCE=case.cc [-DCOMPILED=header.pch] -DINCLUDE=dir -P compile_fail.cmake
#
# Compiles a case that must not compile, and looks in what the compiler says for every line "// expect: regex" at the
# head of the file. "// expect: nothing" is the control: it must compile. Clang need not go further than the syntax;
# GCC looks at what a co_await drops when it makes the coroutine's code.
file(STRINGS ${SOURCE} lines REGEX "^// expect: ")
set(compiled "")
if(COMPILED AND EXISTS ${COMPILED})
  set(compiled -include-pch ${COMPILED})
endif()
if(COMPILER MATCHES "clang")
  set(depth -fsyntax-only)
else()
  set(depth -S -o /dev/null)
endif()
execute_process(COMMAND ${COMPILER} -std=c++23 -Werror=unused-result ${depth} ${compiled} -I${INCLUDE} ${SOURCE}
                RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
foreach(line IN LISTS lines)
  string(REPLACE "// expect: " "" expected "${line}")
  if(expected STREQUAL "nothing")
    if(failed)
      message(FATAL_ERROR "the control does not compile:\n${said}")
    endif()
  elseif(NOT failed)
    message(FATAL_ERROR "it compiles, although it should say: ${expected}")
  elseif(NOT said MATCHES "${expected}")
    message(FATAL_ERROR "the compiler does not say \"${expected}\" but:\n${said}")
  endif()
endforeach()
