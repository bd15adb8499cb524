# Enables CUDA where nvcc is found and its major version is LibTorch's; sets MIXOP_HAVE_CUDA and MIXOP_NVCC_VERSION
# (major * 1000 + minor * 10). Include it at the top level of a project.

set(MIXOP_HAVE_CUDA OFF)
set(MIXOP_NVCC_VERSION 0)

if(MIXOP_LIBTORCH_CUDA)
  # Toolkits from wheels lie beside LibTorch's.
  file(GLOB wheel_toolkits ${MIXOP_LIBTORCH_ROOT}/../nvidia/cu*/bin)
  find_program(MIXOP_NVCC nvcc HINTS $ENV{CUDA_HOME}/bin $ENV{CUDA_PATH}/bin
    PATHS /usr/local/cuda/bin ${wheel_toolkits} DOC "The CUDA compiler")
  if(MIXOP_NVCC)
    execute_process(COMMAND ${MIXOP_NVCC} --version OUTPUT_VARIABLE nvcc_says ERROR_QUIET)
    if(nvcc_says MATCHES "release ([0-9]+)\\.([0-9]+)")
      math(EXPR MIXOP_NVCC_VERSION "${CMAKE_MATCH_1} * 1000 + ${CMAKE_MATCH_2} * 10")
    endif()
    math(EXPR nvcc_major "${MIXOP_NVCC_VERSION} / 1000")
    math(EXPR libtorch_major "${MIXOP_LIBTORCH_CUDA} / 1000")
    if(nvcc_major EQUAL 0)
      message(STATUS "No CUDA kernels: ${MIXOP_NVCC} does not tell its version")
    elseif(nvcc_major EQUAL libtorch_major)
      set(MIXOP_HAVE_CUDA ON)
    else()
      message(STATUS "No CUDA kernels: ${MIXOP_NVCC} is of CUDA ${nvcc_major}, LibTorch of CUDA ${libtorch_major}")
    endif()
  else()
    message(STATUS "No CUDA kernels: no nvcc")
  endif()
endif()

if(MIXOP_HAVE_CUDA)
  set(CMAKE_CUDA_COMPILER ${MIXOP_NVCC})
  if(NOT CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 80 90)
  endif()
  set(CMAKE_CUDA_STANDARD 17)
  enable_language(CUDA)
endif()
