// What the test program runs: a file a subject. Each takes the golden models, the first of them a TDT.
#pragma once

#include <random>
#include <vector>

#include "test/golden_model.h"

namespace parakeet::test {

using Goldens = std::vector<GoldenModel>;

void goldens(const Goldens& models);
void streams(const Goldens& models, std::mt19937& random);
void cancellation(const Goldens& models, std::mt19937& random);
void earlyListening(const Goldens& models, std::mt19937& random);
void snapshots(const Goldens& models, std::mt19937& random);
void manySessions(const Goldens& models, std::mt19937& random);
void stepGrid(const Goldens& models, std::mt19937& random);
void beams(const Goldens& models, std::mt19937& random);
void faults(const Goldens& models);
void greedyKernel(std::mt19937& random);
void greedyTiles(std::mt19937& random);
void convolutionKernel(std::mt19937& random);
void subsamplingKernels(std::mt19937& random);
void attentionKernel(std::mt19937& random);
void normKernel(std::mt19937& random);
void fourBits(std::mt19937& random);
void keyValueLogs(std::mt19937& random);
void checksums(std::mt19937& random);
// Takes the cache-aware models, which the others do not.
void cacheAware(const Goldens& models, std::mt19937& random);

}  // namespace parakeet::test
