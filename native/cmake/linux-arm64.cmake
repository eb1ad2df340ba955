# Cross-compiles for Linux arm64 with Debian's g++-aarch64-linux-gnu. Run by `node scripts/install.mjs --target linux-arm64`.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
