# bitplan_shipped(SOURCE ROOM FOLDER FUNCTION): the JSON files of a folder at the top of the tree become part of the library, so that
# an installed tool knows them wherever it stands. SOURCE is set to the source that defines FUNCTION, which the room's header
# shipped_FOLDER.h declares.
function(bitplan_shipped source BITPLAN_ROOM BITPLAN_FOLDER BITPLAN_FUNCTION)
  file(GLOB files CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${BITPLAN_FOLDER}/*.json")
  set(BITPLAN_FILES "")
  foreach(file IN LISTS files)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    get_filename_component(name "${file}" NAME_WLE)
    file(READ "${file}" text)
    string(APPEND BITPLAN_FILES "      {\"${name}\", R\"json(${text})json\"},\n")
  endforeach()
  set(generated "${CMAKE_CURRENT_BINARY_DIR}/shipped_${BITPLAN_FOLDER}.cpp")
  configure_file("${PROJECT_SOURCE_DIR}/cmake/shipped_files.cpp.in" "${generated}" @ONLY)
  set(${source} "${generated}" PARENT_SCOPE)
endfunction()
