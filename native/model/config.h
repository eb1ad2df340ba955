// What the engine needs to know about a model, already read from NeMo's config.json and checked for type and range.
// Reading JSON and naming a wrong key is the caller's work (src/model/config.ts).
#pragma once

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
};

struct PredictorConfig {
  int hidden = 0;
  int layers = 0;
};

struct JointConfig {
  int hidden = 0;
  std::string activation = "relu";  // relu | sigmoid | tanh
};

struct ModelConfig {
  Architecture architecture = Architecture::tdt;
  PreprocessorConfig preprocessor;
  EncoderConfig encoder;
  PredictorConfig predictor;
  JointConfig joint;
  int vocabulary = 0;          // pieces without the blank, whose id is `vocabulary`
  std::vector<int> durations;  // frames, TDT only
  int maxSymbols = 10;         // symbols at one frame, at least 1

  bool hasTransducer() const { return architecture != Architecture::ctc; }
  bool hasCtc() const { return architecture == Architecture::ctc || architecture == Architecture::tdtCtc; }
};

}  // namespace parakeet
