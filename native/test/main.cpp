// The engine without Node, as a program for sanitizers: `program SEED GOLDEN…`, with files of
// scripts/test-sanitize.mjs. Prints what is wrong and exits with 1.
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "ops/device.h"
#include "ops/pool.h"
#include "test/cases.h"
#include "test/check.h"
#include "test/engine_driver.h"

using namespace parakeet;
using namespace parakeet::test;

int main(int count, char** arguments) try {
  if (count < 3) throw std::runtime_error("Expected a seed and the descriptions of golden models");
  std::mt19937 random(static_cast<unsigned>(std::atoi(arguments[1])));
  ops::prepareDevices();
  ops::setPoolThreads(2);
  Goldens models, cacheAwareModels;
  onEngine([&] {
    for (int i = 2; i < count; i++) {
      GoldenModel golden = readGoldenModel(arguments[i]);
      (golden.config.encoder.causal ? cacheAwareModels : models).push_back(std::move(golden));
    }
  });
  const auto run = [](const char* subject, auto body) {
    const int before = failures;
    body();
    std::printf("%s: %s\n", subject, failures == before ? "ok" : "FAILED");
    std::fflush(stdout);
  };
  run("goldens", [&] { goldens(models); });
  run("streams", [&] { streams(models, random); });
  run("cache-aware streams", [&] { cacheAware(cacheAwareModels, random); });
  run("beams", [&] { beams(models, random); });
  run("faults", [&] { faults(models); });
  run("cancellation", [&] { cancellation(models, random); });
  run("early listening", [&] { earlyListening(models, random); });
  run("snapshots", [&] { snapshots(models, random); });
  run("step grid", [&] { stepGrid(models, random); });
  run("the greedy kernel", [&] { greedyKernel(random); });
  run("the greedy kernel's tensor cores", [&] { greedyTiles(random); });
  run("the convolution's kernel", [&] { convolutionKernel(random); });
  run("the subsampling's kernels", [&] { subsamplingKernels(random); });
  run("the attention's kernel", [&] { attentionKernel(random); });
  run("the norm's kernel", [&] { normKernel(random); });
  run("four bits", [&] { fourBits(random); });
  run("logs of keys and values", [&] { keyValueLogs(random); });
  run("checksums", [&] { checksums(random); });
  run("a thousand sessions", [&] { manySessions(models, random); });
  onEngine([&] {
    models.clear();
    cacheAwareModels.clear();
  });
  CHECK(Counted<SessionTag>::alive() == 0);
  return failures == 0 ? 0 : 1;
} catch (const std::exception& error) {
  std::printf("%s\n", error.what());
  return 1;
}
