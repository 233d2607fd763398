# Every package the project uses, found once. scripts/setup.sh installs them.
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(Boost 1.74 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(ZLIB REQUIRED)
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
find_package(Protobuf REQUIRED)  # before ONNX, whose targets name it
find_package(ONNX REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(libzip REQUIRED IMPORTED_TARGET libzip)  # Debian's libzip CMake files ask for the command line tools too
pkg_check_modules(libwebp REQUIRED IMPORTED_TARGET libwebp)
if(BITPLAN_TORCH)
  find_package(Torch 2.13 REQUIRED)
  if(BITPLAN_FUZZ)  # with clang, which has an OpenMP of its own: one thread will do
    add_library(OpenMP::OpenMP_CXX INTERFACE IMPORTED)
  else()
    find_package(OpenMP REQUIRED COMPONENTS CXX)  # without it at::parallel_for runs on one thread
  endif()
  find_package(Spectra REQUIRED)
  find_package(Boost 1.74 REQUIRED COMPONENTS program_options)
endif()
if(BITPLAN_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # A precompiled header is matched by content, not by time stamp, so that ccache serves files that use it.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime "${CCACHE_PROGRAM}")
endif()
