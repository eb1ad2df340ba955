#include "test/golden_model.h"

#include <fstream>
#include <stdexcept>

namespace parakeet::test {
namespace {

Architecture architectureOf(const std::string& name) {
  if (name == "tdt") return Architecture::tdt;
  if (name == "tdt-ctc") return Architecture::tdtCtc;
  return name == "rnnt" ? Architecture::rnnt : Architecture::ctc;
}

StoredType storedType(const std::string& name) {
  if (name == "F32") return StoredType::f32;
  return name == "F16" ? StoredType::f16 : StoredType::bf16;
}

TensorEntry readEntry(std::istream& in) {
  TensorEntry entry;
  std::string type;
  size_t dimensions = 0;
  in >> entry.name >> type >> entry.offset >> entry.bytes >> dimensions;
  entry.type = storedType(type);
  entry.shape.resize(dimensions);
  for (int64_t& size : entry.shape) in >> size;
  std::getline(in >> std::ws, entry.path);
  return entry;
}

}  // namespace

GoldenModel readGoldenModel(const std::string& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error("Cannot read " + file);
  GoldenModel golden;
  ModelConfig& config = golden.config;
  std::vector<TensorEntry> weights, arrays;
  for (std::string key; in >> key;) {
    if (key == "architecture") {
      in >> golden.name;
      config.architecture = architectureOf(golden.name);
    } else if (key == "preprocessor") {
      PreprocessorConfig& own = config.preprocessor;
      in >> own.sampleRate >> own.windowLength >> own.hop >> own.fftLength >> own.features >> own.preemphasis >>
          own.window >> own.normalize;
      config.encoder.features = own.features;
    } else if (key == "encoder") {
      EncoderConfig& own = config.encoder;
      in >> own.layers >> own.dModel >> own.heads >> own.feedForward >> own.subsamplingFactor >>
          own.subsamplingChannels >> own.convKernel >> own.useBias >> own.xscaling >> own.causal;
    } else if (key == "predictor") {
      in >> config.predictor.hidden >> config.predictor.layers;
    } else if (key == "joint") {
      in >> config.joint.hidden >> config.joint.activation;
    } else if (key == "vocabulary") {
      in >> config.vocabulary >> config.maxSymbols;
    } else if (key == "durations") {
      size_t count = 0;
      in >> count;
      config.durations.resize(count);
      for (int& duration : config.durations) in >> duration;
    } else if (key == "weight") {
      weights.push_back(readEntry(in));
    } else if (key == "array") {
      arrays.push_back(readEntry(in));
      golden.shapes[arrays.back().name] = arrays.back().shape;
    } else if (key == "tokens") {
      std::string way;
      size_t count = 0;
      in >> way >> count;
      Tokens& list = golden.tokens[way];
      list.resize(count);
      for (Token& token : list) in >> token.id >> token.start >> token.duration >> token.confidence;
    } else {
      throw std::runtime_error("Unknown key " + key + " in " + file);
    }
  }
  const CancelFlag never;
  golden.model = std::make_unique<Model>(config, Weights(weights), ops::DType::float32, never);
  golden.arrays = std::make_unique<Weights>(arrays);
  return golden;
}

Matrix GoldenModel::array(const std::string& key) const {
  const std::vector<int64_t>& shape = shapes.at(key);
  return {arrays->take(key, shape), static_cast<int>(shape.at(shape.size() - 2)), static_cast<int>(shape.back())};
}

Decoding GoldenModel::greedy() const {
  switch (config.architecture) {
    case Architecture::ctc:
      return {Head::ctc};
    case Architecture::rnnt:
      return {Head::rnnt};
    default:
      return {Head::tdt};
  }
}

}  // namespace parakeet::test
