# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts into a prefix: the server, the headers, the static libraries, and the package
#
#   find_package(Bedplate REQUIRED)
#   target_link_libraries(mine PRIVATE Bedplate::bedplate)           # the framework: every library that an application uses
#   target_link_libraries(mine PRIVATE Bedplate::identity)           # users, sessions, tokens
#   target_link_libraries(mine_test PRIVATE Bedplate::testing)       # the test kit
#   bedplate_embed(TARGET mine ...)                                  # see BedplateEmbed.cmake
#
# Each library is a target of its own too, under its name: Bedplate::search, Bedplate::http, ...
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Called by bedplate_library() for each library: those of the framework and the platform services are installed.
function(bedplate_install_library name)
  cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE folder)
  if(NOT folder MATCHES "^(bedplate|services|extras)/")
    return()
  endif()
  set_target_properties(bedplate_${name} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS bedplate_${name} EXPORT BedplateTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/bedplate)
endfunction()

# Installs the headers of cmake/public_headers.txt, and those that they include.
function(bedplate_install_headers)
  set(list ${PROJECT_SOURCE_DIR}/cmake/public_headers.txt)
  file(STRINGS ${list} headers REGEX "^[^#]")
  set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})
  list(TRANSFORM headers REPLACE " .*" "")
  set(waiting ${headers})
  while(waiting)
    list(POP_FRONT waiting header)
    if(NOT EXISTS ${PROJECT_SOURCE_DIR}/${header})
      message(FATAL_ERROR "cmake/public_headers.txt: ${header} does not exist, or is included by a header and made by the build")
    endif()
    file(STRINGS ${PROJECT_SOURCE_DIR}/${header} includes REGEX "^#include \"")
    foreach(include ${includes})
      string(REGEX REPLACE "^#include \"([^\"]*)\".*" "\\1" include "${include}")
      if(NOT include IN_LIST headers)
        list(APPEND headers ${include})
        list(APPEND waiting ${include})
      endif()
    endforeach()
  endwhile()
  # A header may come to include another one, so configuring depends on all of them.
  foreach(header ${headers})
    set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${header})
    cmake_path(GET header PARENT_PATH folder)
    install(FILES ${PROJECT_SOURCE_DIR}/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/${folder})
  endforeach()
endfunction()

# Called by the root once all targets are known.
function(bedplate_install)
  add_library(bedplate_framework INTERFACE)
  set_target_properties(bedplate_framework PROPERTIES EXPORT_NAME bedplate)
  target_link_libraries(bedplate_framework INTERFACE bedplate_app)
  install(TARGETS bedplate_flags bedplate_framework EXPORT BedplateTargets)
  bedplate_install_headers()
  install(TARGETS bedplate RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

  set(package ${CMAKE_INSTALL_LIBDIR}/cmake/Bedplate)
  install(EXPORT BedplateTargets NAMESPACE Bedplate:: DESTINATION ${package})
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/BedplateConfig.cmake.in
                                ${PROJECT_BINARY_DIR}/BedplateConfig.cmake INSTALL_DESTINATION ${package})
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/BedplateConfigVersion.cmake
                                   COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/BedplateConfig.cmake ${PROJECT_BINARY_DIR}/BedplateConfigVersion.cmake
                ${PROJECT_SOURCE_DIR}/cmake/BedplateEmbed.cmake
                ${PROJECT_SOURCE_DIR}/cmake/BedplateCoroutines.cmake
                ${PROJECT_SOURCE_DIR}/cmake/coroutine_check.py
          DESTINATION ${package})
endfunction()
