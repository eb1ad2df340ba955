# Stands in for cuDNN's package when the addon is built against MLX with CUDA: see CUDAToolkitConfig.cmake.
set(CUDNN_FOUND TRUE)
