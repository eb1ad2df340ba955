# Finds what the engine is linked to: MLX in MLX_ROOT, and oneDNN 3 or newer where there is one. For the addon and for the test
# program (native/test).
get_filename_component(PARAKEET_ROOT ${CMAKE_CURRENT_LIST_DIR}/.. ABSOLUTE)

if(NOT MLX_ROOT)
  set(MLX_ROOT ${PARAKEET_ROOT}/vendor/mlx)
endif()
find_package(Threads REQUIRED)
# A build for CUDA needs no toolkit.
set(CMAKE_FIND_PACKAGE_PREFER_CONFIG ON)
set(CUDAToolkit_DIR ${CMAKE_CURRENT_LIST_DIR}/cmake)
set(CUDNN_DIR ${CMAKE_CURRENT_LIST_DIR}/cmake)
find_package(MLX CONFIG REQUIRED PATHS ${MLX_ROOT} NO_DEFAULT_PATH)

# PARAKEET_DEFINITIONS says whose operations work on a CPU: our own kernels on x86_64, where oneDNN names the instruction set, and
# on Linux arm64 (NEON); MLX's elsewhere. PARAKEET_PLAIN_MLX leaves everything to MLX.
set(PARAKEET_DEFINITIONS "")
if(PARAKEET_PLAIN_MLX)
  # Nothing to find.
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  # The distribution's oneDNN, else the vendored one. Debian 12 has 2.6, which is too old for us.
  find_package(dnnl 3 CONFIG QUIET)
  if(NOT dnnl_FOUND)
    find_package(dnnl 3 CONFIG QUIET PATHS ${PARAKEET_ROOT}/vendor/onednn NO_DEFAULT_PATH)
  endif()
  if(dnnl_FOUND)
    set(PARAKEET_DEFINITIONS PARAKEET_CPU_KERNELS PARAKEET_ONEDNN)
  endif()
elseif(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(PARAKEET_DEFINITIONS PARAKEET_CPU_KERNELS)
endif()

# The texts of the CUDA kernels, which are compiled on the user's machine, as strings.
set(PARAKEET_GENERATED ${CMAKE_CURRENT_BINARY_DIR}/generated)
function(kernel_source file header name)
  set(KERNEL ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/${file})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${KERNEL})
  file(READ ${KERNEL} TEXT)
  file(CONFIGURE OUTPUT ${PARAKEET_GENERATED}/${header} @ONLY
    CONTENT "inline constexpr const char* ${name} = R\"cuda(@TEXT@)cuda\";\n")
endfunction()
kernel_source(model/greedy.cuh greedy_kernel_source.h greedyKernelSource)
kernel_source(ops/bfloat16.cuh bfloat16_source.h bfloat16Source)
kernel_source(ops/tiles.cuh tiles_source.h tilesSource)
kernel_source(ops/padded/gated_convolution.cuh gated_convolution_source.h gatedConvolutionSource)
kernel_source(ops/padded/shifted_norm.cuh shifted_norm_source.h shiftedNormSource)
kernel_source(ops/padded/subsampling.cuh subsampling_source.h subsamplingSource)
kernel_source(ops/padded/live_attention.cuh live_attention_source.h liveAttentionSource)
