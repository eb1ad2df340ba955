// What the engine needs to know about a model, already read from NeMo's config.json and checked for type and range.
// Reading JSON and naming a wrong key is the caller's work (src/model/config.ts).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace parakeet {

enum class Architecture { tdt, tdtCtc, rnnt, ctc };

struct PreprocessorConfig {
  int sampleRate = 16000;       // samples per second
  int windowLength = 400;       // samples, at most fftLength
  int hop = 160;                // samples between frames
  int fftLength = 512;          // samples, a power of two
  int features = 80;            // mel bands
  double preemphasis = 0.97;    // 0 for none
  std::string window = "hann";  // hann | hamming | blackman | bartlett | ones
  bool normalize = true;        // whether the encoder takes normalised features
};

struct EncoderConfig {
  int features = 80;
  int layers = 0;
  int dModel = 0;
  int heads = 0;
  int feedForward = 0;        // width of the feed-forward layers
  int subsamplingFactor = 8;  // a power of two
  int subsamplingChannels = 0;
  int convKernel = 9;  // odd
  bool useBias = true;
  bool xscaling = false;
  // Cache-aware: subsampling and convolutions see nothing that comes later, attention is limited to chunks
  // (Context::right), and layer norm stands for batch norm. What has been computed for a frame then never changes.
  bool causal = false;

  // Frames that the depthwise convolution looks back.
  int convBefore() const { return causal ? convKernel - 1 : (convKernel - 1) / 2; }
  // Mel frames that an output of the subsampling sees before and after the first one of its own.
  int melBefore() const { return causal ? 2 * (subsamplingFactor - 1) : subsamplingFactor - 1; }
  int melAfter() const { return causal ? 0 : subsamplingFactor - 1; }
  // Encoder frames of so many mel frames from a frame's own first one on. `ended`: the signal ends with them, so what
  // is missing at the end is padding.
  int64_t framesOf(int64_t melFrames, bool ended) const {
    const int64_t missing = ended ? subsamplingFactor - 1 : 0;
    const int64_t last = melFrames - 1 - melAfter() + missing;
    return melFrames <= 0 || last < 0 ? 0 : last / subsamplingFactor + 1;
  }
};

struct PredictorConfig {
  int hidden = 0;
  int layers = 0;
};

struct JointConfig {
  int hidden = 0;
  std::string activation = "relu";  // relu | sigmoid | tanh
};

// Of a multilingual model whose frames are told the language; 0 prompts for none.
struct PromptConfig {
  int prompts = 0;
  int hidden = 0;
};

struct ModelConfig {
  Architecture architecture = Architecture::tdt;
  PreprocessorConfig preprocessor;
  EncoderConfig encoder;
  PredictorConfig predictor;
  JointConfig joint;
  PromptConfig prompt;
  int vocabulary = 0;          // pieces without the blank, whose id is `vocabulary`
  std::vector<int> durations;  // frames, TDT only
  int maxSymbols = 10;         // symbols at one frame, at least 1

  bool hasTransducer() const { return architecture != Architecture::ctc; }
  bool hasCtc() const { return architecture == Architecture::ctc || architecture == Architecture::tdtCtc; }
};

}  // namespace parakeet
