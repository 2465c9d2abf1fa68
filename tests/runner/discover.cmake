# SPDX-License-Identifier: Apache-2.0
# Makes ctest know the suites of a GoogleTest program, one test for each suite: a process started for each of thousands
# of cases costs minutes, and a suite that crashes is run again case by case (run_suite.py). ctest includes this file
# when it starts, once for each program and label, with these variables set:
#
#   PROGRAM     the test program             MODULE        the first word of the tests' names
#   LABEL       the tests' label             FILTER      which of the cases (a --gtest_filter)
#   OWN_LABEL   that of the program: a suite has the other one in its name
#   RUN         the command of run_suite.py  PROPERTIES  further properties of the tests
#   LIST        the file to remember the suites in; it is made anew when the program is newer, or one of
#   SCRIPTS     the files that say how they are run
if(NOT EXISTS ${PROGRAM})
  add_test(${MODULE}_NOT_BUILT ${PROGRAM})
  set_tests_properties(${MODULE}_NOT_BUILT PROPERTIES LABELS ${LABEL})
  return()
endif()

set(stale FALSE)
foreach(file ${PROGRAM} ${CMAKE_CURRENT_LIST_FILE} ${SCRIPTS})
  if(${file} IS_NEWER_THAN ${LIST})
    set(stale TRUE)
  endif()
endforeach()
if(stale)
  execute_process(COMMAND ${PROGRAM} --gtest_list_tests --gtest_filter=${FILTER}
                  OUTPUT_VARIABLE listing RESULT_VARIABLE failed TIMEOUT 120)
  if(failed)
    message(FATAL_ERROR "${PROGRAM} --gtest_list_tests ended with ${failed}:\n${listing}")
  endif()
  string(REGEX REPLACE "[ ]*#[^\n]*" "" listing "${listing}")  # What the types and values of the cases are.
  string(REPLACE "\n" ";" lines "${listing}")
  set(script "")
  set(suite "")
  set(cases "")
  foreach(line IN LISTS lines ITEMS "end.")
    if(line MATCHES "^  (.+)$")
      list(APPEND cases ${suite}${CMAKE_MATCH_1})
    elseif(line MATCHES "^[^ ]+\\.$")
      if(cases)
        string(REGEX REPLACE "\\.$" "" name ${suite})
        if(NOT LABEL STREQUAL OWN_LABEL)
          string(APPEND name .${LABEL})
        endif()
        list(JOIN cases ":" filter)
        string(APPEND script
          "add_test([=[${MODULE}.${name}]=] ${RUN} [=[${PROGRAM}]=] [=[${MODULE}]=] [=[${LABEL}]=] [=[${filter}]=])\n"
          "set_tests_properties([=[${MODULE}.${name}]=] PROPERTIES LABELS ${LABEL} ${PROPERTIES})\n")
      endif()
      set(suite ${line})
      set(cases "")
    endif()
  endforeach()
  file(WRITE ${LIST} "${script}")
endif()
include(${LIST})
