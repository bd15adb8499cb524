# How this tree is compiled: language, warnings, output folders, compiler cache and linker.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release or Dev" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEV "-O1 -g")
set(CMAKE_C_FLAGS_DEV "-O1 -g")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# One flag for libraries and programs, so that all of them can share the precompiled header.
set(CMAKE_CXX_COMPILE_OPTIONS_PIE -fPIC)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
add_compile_options($<$<COMPILE_LANGUAGE:C,CXX>:-Wall> $<$<COMPILE_LANGUAGE:C,CXX>:-Wextra>)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(MIXOP_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize takes them: address,undefined or thread")
set(MIXOP_SANITIZED OFF)
if(MIXOP_SANITIZE)
  set(MIXOP_SANITIZED ON)
  add_compile_options($<$<COMPILE_LANGUAGE:C,CXX>:-fsanitize=${MIXOP_SANITIZE}>
                      $<$<COMPILE_LANGUAGE:C,CXX>:-fno-omit-frame-pointer>)
  # Reports name lines; more of LibTorch's headers in every object would double the build.
  add_compile_options($<$<COMPILE_LANGUAGE:C,CXX>:-g1>)
  # GCC 12 sees uninitialised variables in standard headers under sanitizers.
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-maybe-uninitialized>)
  add_link_options(-fsanitize=${MIXOP_SANITIZE})
endif()

# One RUNPATH in the build and where it is installed: CMake ends one that it would replace with an empty entry, which is the
# current folder. Folders of libraries outside the tree are in it.
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)

if(DEFINED ENV{MIXOP_CACHE})
  set(mixop_cache $ENV{MIXOP_CACHE})
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(mixop_cache $ENV{XDG_CACHE_HOME}/mixop)
else()
  set(mixop_cache $ENV{HOME}/.cache/mixop)
endif()

find_program(MIXOP_CCACHE ccache)
if(MIXOP_CCACHE)
  # Paths inside the tree are hashed as relative ones, so that a second clone on the machine finds what the first compiled.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_DIR=${mixop_cache}/ccache CCACHE_MAXSIZE=8G CCACHE_NOHASHDIR=1
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${MIXOP_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${launcher})
  # What ccache needs to see through a precompiled header.
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
endif()

find_program(MIXOP_MOLD mold)
find_program(MIXOP_LLD ld.lld)
if(MIXOP_MOLD)
  add_link_options(-fuse-ld=mold)
elseif(MIXOP_LLD)
  add_link_options(-fuse-ld=lld)
endif()

# LibTorch's wheel exports pieces of std::filesystem that crash outside it; the first library on the line wins.
link_libraries(stdc++)
