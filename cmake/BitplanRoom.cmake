# One call a room: the design's table of what may use what is the list of PUBLIC and PRIVATE links of each.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_EXTENSIONS OFF)

# Other compilers have other warnings: they are errors where we build, as a project of its own and with the compiler of CI.
set(own_build OFF)
if(PROJECT_IS_TOP_LEVEL AND CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION MATCHES "^12\\.")
  set(own_build ON)
endif()
option(BITPLAN_WERROR "Warnings are errors" ${own_build})

add_library(bitplan_warnings INTERFACE)
target_compile_options(bitplan_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion $<$<BOOL:${BITPLAN_WERROR}>:-Werror>
  $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>)  # as with GCC, where -Wconversion leaves signs alone

if(BITPLAN_TORCH)
  # LibTorch's headers take 15 s a file to parse; the ones that all rooms need are parsed once, here, and shared by every target
  # that asks for TORCH. No more than that: GCC instantiates anew, in every file, what the templates of a precompiled header left
  # pending (with <torch/torch.h> 5 s a file, with these 2 s).
  function(bitplan_precompile target)
    add_library(${target} OBJECT "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/torch_headers.cpp")
    target_compile_features(${target} PUBLIC cxx_std_20)
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess> -Wpedantic)  # -Wpedantic changes predefined macros
    target_link_libraries(${target} PRIVATE torch OpenMP::OpenMP_CXX)
    target_compile_definitions(${target} PRIVATE FMT_HEADER_ONLY)
    target_precompile_headers(${target} PRIVATE <torch/types.h> <torch/csrc/autograd/autograd.h> <algorithm> <filesystem> <map>
      <optional> <string> <vector> ${ARGN})
  endfunction()
  bitplan_precompile(bitplan_torch_headers)
endif()

# Files of a room are compiled several as one: what LibTorch's, Eigen's and the JSON library's headers make of their templates takes
# longer than the file, and is made once. A name that stands in the anonymous namespaces of two files of a room therefore needs a
# better one.
option(BITPLAN_UNITY "Compile the files of a room together, eight at a time" ON)

# bitplan_flags(TARGET [TORCH [PRECOMPILED]]): language level, warnings, and with TORCH the shared precompiled header, or another.
function(bitplan_flags target)
  cmake_parse_arguments(FLAG "TORCH" "PRECOMPILED" "" ${ARGN})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:bitplan_warnings>)
  if(BITPLAN_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)  # is about headers: files that others include
  endif()
  if(FLAG_TORCH)
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
    target_link_libraries(${target} PRIVATE OpenMP::OpenMP_CXX)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE")  # the shared header is compiled with -fPIC, executables would be with -fPIE
      set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
      target_compile_options(${target} PRIVATE -fPIC)
    endif()
    # LibTorch's include folder carries fmt headers of its own version, found before the system's; used header-only, nothing
    # of the system's fmt library is linked against them.
    target_compile_definitions(${target} PRIVATE FMT_HEADER_ONLY)
    if(NOT FLAG_PRECOMPILED)
      set(FLAG_PRECOMPILED bitplan_torch_headers)
    endif()
    target_precompile_headers(${target} REUSE_FROM ${FLAG_PRECOMPILED})
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>)
  endif()
endfunction()

# bitplan_room(NAME [TORCH] [SOURCES …] [PUBLIC …] [PRIVATE …]): the static library bitplan_NAME, alias bitplan::NAME, of the room
# in this folder; without sources it is headers only. Public headers are "bitplan/…". What a room offers to rooms that link it
# stands in include/NAME and is included as "NAME/…"; its other headers are on no path but its own, from its folder on.
# docs/architecture.md says what may use what.
function(bitplan_room name)
  cmake_parse_arguments(ROOM "TORCH" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  set(target bitplan_${name})
  if(ROOM_SOURCES)
    set(public PUBLIC)
    add_library(${target} STATIC ${ROOM_SOURCES})
    target_compile_options(${target} PRIVATE -iquote "${CMAKE_CURRENT_SOURCE_DIR}")
    target_link_libraries(${target} PRIVATE ${ROOM_PRIVATE})
    if(ROOM_TORCH)
      bitplan_flags(${target} TORCH)
      target_link_libraries(${target} PUBLIC torch)
    else()
      bitplan_flags(${target})
    endif()
  else()
    set(public INTERFACE)
    add_library(${target} INTERFACE)
  endif()
  add_library(bitplan::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_link_libraries(${target} ${public} ${ROOM_PUBLIC})
  target_include_directories(${target} ${public}
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  if(IS_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}/include")
    target_include_directories(${target} ${public} $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>)
  endif()
  set_property(GLOBAL APPEND PROPERTY BITPLAN_ROOMS ${target})
  set_property(GLOBAL PROPERTY BITPLAN_FOLDER_${name} "${CMAKE_CURRENT_SOURCE_DIR}")
endfunction()

# Of the tests that see LibTorch: what they wait for is computed in libraries, and optimizing them takes half of their compilation;
# collecting garbage takes a tenth, since it goes through all that was precompiled.
set(BITPLAN_TEST_FLAGS -O0 $<$<CXX_COMPILER_ID:GNU>:--param=ggc-min-expand=400> $<$<CXX_COMPILER_ID:GNU>:--param=ggc-min-heapsize=2000000>)

# bitplan_test(ROOM [TORCH] [SLOW] [SHARDS N] SOURCES … LINKS …): the executable test_ROOM; its tests carry the label ROOM, and slow.
# Fast tests that load LibTorch are one to ctest (or N, which can run side by side), since each would load it anew.
# Build and run one room alone: cmake --build build/release --target test_search && ctest --test-dir build/release -L search
function(bitplan_test room)
  cmake_parse_arguments(TEST "TORCH;SLOW" "SHARDS" "SOURCES;LINKS" ${ARGN})
  set(target test_${room})
  set(labels "${room}")
  set(cost 1)  # the longest start first
  if(TEST_SLOW)
    set(target test_${room}_slow)
    set(labels "${room}\\\\\\\\\\\\\\;slow")  # a list within a list, which gtest_discover_tests unpacks three times
    set(cost 100)
  endif()
  add_executable(${target} ${TEST_SOURCES})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  get_property(folder GLOBAL PROPERTY BITPLAN_FOLDER_${room})
  if(folder)  # of its own room a test sees everything
    target_compile_options(${target} PRIVATE -iquote "${folder}")
  endif()
  target_link_libraries(${target} PRIVATE ${TEST_LINKS} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${target} PRIVATE
    BITPLAN_TEST_DIR="${PROJECT_SOURCE_DIR}/tests" BITPLAN_EXAMPLES_DIR="${PROJECT_SOURCE_DIR}/examples")
  if(TEST_TORCH)
    if(NOT TARGET bitplan_test_headers)
      bitplan_precompile(bitplan_test_headers <gmock/gmock.h> <gtest/gtest.h>)
      target_link_libraries(bitplan_test_headers PRIVATE GTest::gmock)
      target_compile_options(bitplan_test_headers PRIVATE ${BITPLAN_TEST_FLAGS})
    endif()
    bitplan_flags(${target} TORCH PRECOMPILED bitplan_test_headers)
    target_compile_options(${target} PRIVATE ${BITPLAN_TEST_FLAGS})
  else()
    bitplan_flags(${target})
  endif()
  if(TEST_TORCH AND NOT TEST_SLOW)
    if(NOT TEST_SHARDS)
      set(TEST_SHARDS 1)
    endif()
    foreach(shard RANGE 1 ${TEST_SHARDS})
      math(EXPR index "${shard} - 1")
      add_test(NAME ${target}.${shard} COMMAND ${target} --gtest_brief=1)
      set_tests_properties(${target}.${shard} PROPERTIES LABELS "${labels}" TIMEOUT 900 COST 50
        ENVIRONMENT "GTEST_TOTAL_SHARDS=${TEST_SHARDS};GTEST_SHARD_INDEX=${index}")
    endforeach()
    return()
  endif()
  gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST PROPERTIES LABELS "${labels}" TIMEOUT 600 COST ${cost})
endfunction()
