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

# The distribution's oneDNN, else the vendored one. Debian 12 has 2.6, which is too old for us.
find_package(dnnl 3 CONFIG QUIET)
if(NOT dnnl_FOUND)
  find_package(dnnl 3 CONFIG QUIET PATHS ${PARAKEET_ROOT}/vendor/onednn NO_DEFAULT_PATH)
endif()
