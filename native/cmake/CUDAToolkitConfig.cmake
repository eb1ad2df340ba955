# Stands in for the CUDA toolkit when the addon is built against MLX with CUDA. MLX's CMake package asks for the toolkit
# and for cuDNN, but we use none of their headers, and their libraries are needed by libmlx at load only: so nothing but
# a compiler is needed to build. The loader finds the libraries (src/engine/cuda-libraries.ts).
set(CUDAToolkit_FOUND TRUE)
if(NOT TARGET CUDA::cuda_driver)
  add_library(CUDA::cuda_driver INTERFACE IMPORTED)
endif()
