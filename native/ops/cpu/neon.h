// What the files for arm64 share: the target of products narrower than float32.
#pragma once

#ifdef __aarch64__

// Clang before 16 knows neither this way to name a target nor the functions behind it: its builds widen to float32.
#if !defined(__clang__) || __clang_major__ >= 16
#define PARAKEET_NEON_NARROW
#define PARAKEET_NEON __attribute__((target("arch=armv8.2-a+dotprod+bf16")))
#else
#define PARAKEET_NEON
#endif
#define PARAKEET_NEON_INLINE PARAKEET_NEON __attribute__((always_inline)) inline

#endif
