# mixop_add_plugin(NAME name SOURCES file... KINDS operator|space|dataset|strategy... TIER none|stable|native
#                  [CUDA_SOURCES file.cu...] [NO_CUDA_SOURCES file...] [LIBRARIES target...])
#
# mixop_add_plugin_tests(PLUGIN name SOURCES file...)
#
# A plugin of mixop: name.so in the plugin folder of the build, with the ELF note that MIXOP_PLUGIN writes and one
# exported symbol. CUDA_SOURCES are compiled where MIXOP_HAVE_CUDA, NO_CUDA_SOURCES everywhere else. In this tree plugins
# are installed with mixop; elsewhere they land in the build's folder lib/mixop/plugins. Its tests: `mathematics`, a program
# of these sources and the plugin's that succeeds, and `check`, which is mixop plugins check.

set(MIXOP_PLUGIN_MAP ${CMAKE_CURRENT_LIST_DIR}/plugin.map)
if(NOT MIXOP_PLUGIN_OUTPUT)
  set(MIXOP_PLUGIN_OUTPUT ${PROJECT_BINARY_DIR}/lib/mixop/plugins)
endif()

# MIXOP_KIND_* of a list of names, as bits.
function(mixop_kind_bits result)
  set(known operator space dataset strategy)
  set(bits 0)
  foreach(kind ${ARGN})
    list(FIND known "${kind}" index)
    if(index EQUAL -1)
      message(FATAL_ERROR "mixop_add_plugin: KINDS '${kind}' is none of ${known}")
    endif()
    math(EXPR bits "${bits} | (1 << ${index})")
  endforeach()
  set(${result} ${bits} PARENT_SCOPE)
endfunction()

# What the note says about LibTorch, and what a plugin of that tier links.
function(mixop_tier_of tier number libtorch targets)
  if(tier STREQUAL "none")
    set(answer 0 0 mixop::values)
  elseif(tier STREQUAL "stable")
    mixop_pack_version(packed ${MIXOP_LIBTORCH_STABLE})
    set(answer 1 ${packed} mixop::torch_stable mixop::values)
  elseif(tier STREQUAL "native")
    set(answer 2 ${MIXOP_LIBTORCH_PACKED} mixop::sdk)
  else()
    message(FATAL_ERROR "mixop_add_plugin: TIER '${tier}' is none of none, stable, native")
  endif()
  list(POP_FRONT answer first second)
  set(${number} ${first} PARENT_SCOPE)
  set(${libtorch} ${second} PARENT_SCOPE)
  set(${targets} ${answer} PARENT_SCOPE)
endfunction()

function(mixop_add_plugin)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;TIER" "SOURCES;KINDS;CUDA_SOURCES;NO_CUDA_SOURCES;LIBRARIES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_NAME OR NOT arg_SOURCES OR NOT arg_KINDS OR NOT arg_TIER)
    message(FATAL_ERROR "mixop_add_plugin: expected NAME, SOURCES, KINDS and TIER, found '${ARGN}'")
  endif()
  set(name ${arg_NAME})
  mixop_kind_bits(kinds ${arg_KINDS})
  mixop_tier_of(${arg_TIER} tier libtorch targets)

  add_library(${name} MODULE ${arg_SOURCES})
  set(cuda 0)
  if(arg_CUDA_SOURCES AND MIXOP_HAVE_CUDA)
    set(cuda ${MIXOP_NVCC_VERSION})
    target_sources(${name} PRIVATE ${arg_CUDA_SOURCES})
    target_link_libraries(${name} PRIVATE mixop::torch_cuda ${CMAKE_DL_LIBS})
  else()
    target_sources(${name} PRIVATE ${arg_NO_CUDA_SOURCES})
  endif()
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_compile_definitions(${name} PRIVATE MIXOP_PLUGIN_KINDS=${kinds} MIXOP_PLUGIN_TIER=${tier}
    MIXOP_PLUGIN_LIBTORCH=${libtorch} MIXOP_PLUGIN_CUDA=${cuda})
  target_link_libraries(${name} PRIVATE mixop::abi ${targets} ${arg_LIBRARIES})
  # The host has LibTorch loaded already, so a plugin carries no search path of its own.
  set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX ".so" DEFINE_SYMBOL "" LIBRARY_OUTPUT_DIRECTORY ${MIXOP_PLUGIN_OUTPUT}
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden CUDA_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    POSITION_INDEPENDENT_CODE ON SKIP_BUILD_RPATH ON INSTALL_RPATH "" INSTALL_RPATH_USE_LINK_PATH OFF
    LINK_DEPENDS ${MIXOP_PLUGIN_MAP})
  target_link_options(${name} PRIVATE LINKER:--version-script=${MIXOP_PLUGIN_MAP} LINKER:--as-needed)
  if(NOT MIXOP_SANITIZED)
    target_link_options(${name} PRIVATE LINKER:--no-undefined)
  endif()
  # LibTorch's headers take most of the time that a file does; parsed once, a changed file is built in seconds.
  if(TARGET mixop_sdk AND tier EQUAL 2)
    target_precompile_headers(${name} REUSE_FROM mixop_sdk)
  elseif(tier EQUAL 2 AND "operator" IN_LIST arg_KINDS)
    target_precompile_headers(${name} PRIVATE <ATen/ATen.h> <torch/nn/modules/batchnorm.h> <torch/nn/modules/conv.h>
      <mixop/module_operator.hpp>)
  elseif(tier EQUAL 2)
    target_precompile_headers(${name} PRIVATE <ATen/ATen.h> <mixop/strategy.hpp>)
  endif()
  if(MIXOP_INSTALL_PLUGINS)
    install(TARGETS ${name} LIBRARY DESTINATION lib/mixop/plugins)
  endif()
endfunction()

function(mixop_add_plugin_tests)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "PLUGIN" "SOURCES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES OR NOT TARGET "${arg_PLUGIN}")
    message(FATAL_ERROR "mixop_add_plugin_tests: expected the name of a plugin as PLUGIN, and SOURCES, found '${ARGN}'")
  endif()
  add_executable(mathematics ${arg_SOURCES} $<TARGET_OBJECTS:${arg_PLUGIN}>)
  foreach(property COMPILE_DEFINITIONS COMPILE_FEATURES LINK_LIBRARIES)
    set_property(TARGET mathematics PROPERTY ${property} $<TARGET_PROPERTY:${arg_PLUGIN},${property}>)
  endforeach()
  set_target_properties(mathematics PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  get_target_property(precompiled ${arg_PLUGIN} PRECOMPILE_HEADERS)
  if(precompiled)
    # As the plugin's own files are compiled, or its precompiled header is of no use.
    target_compile_options(mathematics PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fPIC>)
    target_precompile_headers(mathematics REUSE_FROM ${arg_PLUGIN})
  endif()
  get_target_property(sources ${arg_PLUGIN} SOURCES)
  if(sources MATCHES "\\.cu(;|$)")
    set_target_properties(mathematics PROPERTIES LINKER_LANGUAGE CUDA)
    # LibTorch's CUDA libraries are loaded, though nothing names a function of theirs.
    target_link_options(mathematics PRIVATE LINKER:--no-as-needed)
  endif()
  add_test(NAME mathematics COMMAND mathematics)
  add_test(NAME check COMMAND $<TARGET_FILE:mixop::program> plugins check $<TARGET_FILE:${arg_PLUGIN}>)
endfunction()
