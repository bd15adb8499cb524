# Finds LibTorch and makes these targets of it, without its own CMake package (which wants a GPU or a CUDA toolkit):
#   mixop::torch         the C++ API
#   mixop::torch_stable  the stable C ABI alone, of LibTorch MIXOP_LIBTORCH_STABLE and later
#   mixop::torch_cuda    what a plugin with CUDA sources links; empty for a LibTorch without CUDA
# and sets MIXOP_LIBTORCH_VERSION (text), MIXOP_LIBTORCH_PACKED (major << 16 | minor << 8 | patch) and
# MIXOP_LIBTORCH_CUDA (major * 1000 + minor * 10, or 0).
#
# Looked for in Torch_DIR and CMAKE_PREFIX_PATH (variables or environment), then in MIXOP_LIBTORCH_HINT, then in the
# Python environment that the set-up scripts make.

set(MIXOP_LIBTORCH_STABLE 2.10.0)

function(mixop_pack_version packed text)
  string(REGEX MATCH "^([0-9]+)\\.([0-9]+)\\.?([0-9]*)" matched "${text}")
  math(EXPR value "(${CMAKE_MATCH_1} << 16) | (${CMAKE_MATCH_2} << 8) | 0${CMAKE_MATCH_3}")
  set(${packed} ${value} PARENT_SCOPE)
endfunction()

# The root: the folder that holds include/ and lib/.
function(mixop_find_libtorch_root)
  set(wheel)
  if(DEFINED mixop_cache)
    file(GLOB wheel ${mixop_cache}/venv/lib/python3*/site-packages/torch)
  endif()
  string(REPLACE ":" ";" prefixes "$ENV{CMAKE_PREFIX_PATH}")
  set(places NO_DEFAULT_PATH PATH_SUFFIXES Torch share/cmake/Torch lib/cmake/Torch)
  # What the user names now goes before what an earlier configuration found.
  find_path(named TorchConfig.cmake HINTS ${Torch_DIR} ${Torch_ROOT} $ENV{Torch_DIR} $ENV{Torch_ROOT} ${CMAKE_PREFIX_PATH}
    ${prefixes} ${places} NO_CACHE)
  if(named)
    set(MIXOP_LIBTORCH_CONFIG ${named} CACHE PATH "The folder of LibTorch's TorchConfig.cmake" FORCE)
  endif()
  find_path(MIXOP_LIBTORCH_CONFIG TorchConfig.cmake HINTS ${MIXOP_LIBTORCH_HINT} ${wheel} ${places})
  if(NOT MIXOP_LIBTORCH_CONFIG)
    message(FATAL_ERROR "LibTorch not found: set CMAKE_PREFIX_PATH or Torch_DIR to one, or run ./quickstart or ./check, "
                        "which install it")
  endif()
  cmake_path(SET root NORMALIZE "${MIXOP_LIBTORCH_CONFIG}/../../..")
  string(REGEX REPLACE "/$" "" root "${root}")
  set(MIXOP_LIBTORCH_ROOT ${root} PARENT_SCOPE)
endfunction()

function(mixop_read_libtorch_versions)
  set(header ${MIXOP_LIBTORCH_ROOT}/include/torch/headeronly/version.h)
  if(NOT EXISTS ${header})
    message(FATAL_ERROR "${MIXOP_LIBTORCH_ROOT}: expected LibTorch 2.10 or later, found no "
                        "include/torch/headeronly/version.h; point CMAKE_PREFIX_PATH or Torch_DIR at a newer one")
  endif()
  file(READ ${header} text)
  set(parts)
  foreach(part MAJOR MINOR PATCH)
    string(REGEX MATCH "TORCH_VERSION_${part} ([0-9]+)" matched "${text}")
    list(APPEND parts ${CMAKE_MATCH_1})
  endforeach()
  list(JOIN parts . version)
  set(cuda 0)
  if(EXISTS ${MIXOP_LIBTORCH_ROOT}/lib/libtorch_cuda.so)
    # Wheels name the version in version.py ('13.0'), archives in build-version ("2.11.0+cu130").
    foreach(name version.py build-version)
      if(EXISTS ${MIXOP_LIBTORCH_ROOT}/${name})
        file(READ ${MIXOP_LIBTORCH_ROOT}/${name} text)
        if(text MATCHES "\\+cu([0-9]+)([0-9])" OR text MATCHES "cuda[^\n]*'([0-9]+)\\.([0-9]+)'")
          math(EXPR cuda "${CMAKE_MATCH_1} * 1000 + ${CMAKE_MATCH_2} * 10")
          break()
        endif()
      endif()
    endforeach()
  endif()
  set(MIXOP_LIBTORCH_VERSION ${version} PARENT_SCOPE)
  set(MIXOP_LIBTORCH_CUDA ${cuda} PARENT_SCOPE)
endfunction()

function(mixop_import_library name)
  if(NOT EXISTS ${MIXOP_LIBTORCH_ROOT}/lib/lib${name}.so)
    message(FATAL_ERROR "${MIXOP_LIBTORCH_ROOT}/lib: expected lib${name}.so of a shared LibTorch, found none")
  endif()
  add_library(mixop::lib${name} SHARED IMPORTED)
  set_target_properties(mixop::lib${name} PROPERTIES IMPORTED_LOCATION ${MIXOP_LIBTORCH_ROOT}/lib/lib${name}.so
    IMPORTED_SONAME lib${name}.so INTERFACE_INCLUDE_DIRECTORIES
    "${MIXOP_LIBTORCH_ROOT}/include;${MIXOP_LIBTORCH_ROOT}/include/torch/csrc/api/include")
endfunction()

function(mixop_make_libtorch_targets)
  mixop_import_library(c10)
  mixop_import_library(torch_cpu)
  foreach(name torch torch_stable torch_cuda)
    add_library(mixop::${name} INTERFACE IMPORTED)
  endforeach()
  target_link_libraries(mixop::torch INTERFACE mixop::libtorch_cpu mixop::libc10)
  target_link_libraries(mixop::torch_stable INTERFACE mixop::libtorch_cpu)
  string(REGEX MATCH "([0-9]+)\\.([0-9]+)" matched ${MIXOP_LIBTORCH_STABLE})
  math(EXPR target "(${CMAKE_MATCH_1} << 56) | (${CMAKE_MATCH_2} << 48)" OUTPUT_FORMAT HEXADECIMAL)
  target_compile_definitions(mixop::torch_stable INTERFACE TORCH_TARGET_VERSION=${target})
  if(MIXOP_LIBTORCH_CUDA)
    mixop_import_library(torch_cuda)
    mixop_import_library(c10_cuda)
    target_link_libraries(mixop::torch_cuda INTERFACE mixop::libtorch_cuda mixop::libc10_cuda)
    target_compile_definitions(mixop::torch_cuda INTERFACE USE_CUDA)
  endif()
endfunction()

if(NOT TARGET mixop::torch)
  mixop_find_libtorch_root()
  mixop_read_libtorch_versions()
  mixop_pack_version(MIXOP_LIBTORCH_PACKED ${MIXOP_LIBTORCH_VERSION})
  mixop_make_libtorch_targets()
  message(STATUS "LibTorch ${MIXOP_LIBTORCH_VERSION} in ${MIXOP_LIBTORCH_ROOT}")
endif()
