# cmake --install: headers, one archive a room, the tool, and what find_package(bitplan) reads.
include(CMakePackageConfigHelpers)

add_library(bitplan INTERFACE)
add_library(bitplan::bitplan ALIAS bitplan)
get_property(rooms GLOBAL PROPERTY BITPLAN_ROOMS)
target_link_libraries(bitplan INTERFACE ${rooms})

install(TARGETS bitplan ${rooms} EXPORT bitplanTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS bitplan_tool RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
foreach(folder targets devices docs/schemas)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}" DESTINATION ${CMAKE_INSTALL_DATADIR}/bitplan)
endforeach()
install(EXPORT bitplanTargets NAMESPACE bitplan:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/bitplan)
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/bitplanConfig.cmake.in" "${PROJECT_BINARY_DIR}/bitplanConfig.cmake"
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/bitplan)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/bitplanConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/bitplanConfig.cmake" "${PROJECT_BINARY_DIR}/bitplanConfigVersion.cmake"
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/bitplan)
