// A small model with random weights and what each step of it must give, as scripts/test-sanitize.mjs describes them in
// a text file: the engine itself reads neither JSON nor the headers of safetensors.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "model/model.h"

namespace parakeet::test {

struct GoldenModel {
  std::string name;
  ModelConfig config;
  std::unique_ptr<Model> model;  // float32
  std::unique_ptr<Weights> arrays;
  std::map<std::string, std::vector<int64_t>> shapes;  // of the arrays
  std::map<std::string, Tokens> tokens;                // by way of decoding; times in frames

  Matrix array(const std::string& key) const;
  std::vector<float> samples() const { return arrays->take("audio", shapes.at("audio")); }
  Decoding greedy() const;
};

// On the engine's thread.
GoldenModel readGoldenModel(const std::string& file);

}  // namespace parakeet::test
