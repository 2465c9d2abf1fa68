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
  if(NOT folder MATCHES "^(bedplate|services)/")
    return()
  endif()
  set_target_properties(bedplate_${name} PROPERTIES EXPORT_NAME ${name})
  set(sets "")
  get_target_property(names bedplate_${name} INTERFACE_HEADER_SETS)
  foreach(set ${names})
    list(APPEND sets FILE_SET ${set} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  endforeach()
  install(TARGETS bedplate_${name} EXPORT BedplateTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/bedplate ${sets})
endfunction()

# Called by the root once all targets are known.
function(bedplate_install)
  add_library(bedplate_framework INTERFACE)
  set_target_properties(bedplate_framework PROPERTIES EXPORT_NAME bedplate)
  # app links most libraries; the others are for applications to use as they like.
  target_link_libraries(bedplate_framework INTERFACE bedplate_app bedplate_search bedplate_documents bedplate_sharding)
  install(TARGETS bedplate_flags bedplate_framework EXPORT BedplateTargets)
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
