// A core made by `realtime-bokeh export tflite --core --precision int8`, run by LiteRT.
#pragma once

#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "litert.h"

class Model {
 public:
  int height = 0, width = 0;  // of the picture that it takes

  Model(const std::string& path, int threads) {
    constexpr int kMinLoggerSeverity = 25, kInteger = 2, kError = 3, kCpu = 1;
    const LiteRtEnvOption quiet{kMinLoggerSeverity, kInteger, kError};
    check(LiteRtCreateEnvironment(1, &quiet, &environment_), "start LiteRT");
    LiteRtModel model;
    check(LiteRtCreateModelFromFile(environment_, path.c_str(), &model), "read " + path);
    LiteRtOptions options;
    check(LiteRtCreateOptions(&options), "set options");
    check(LiteRtSetOptionsHardwareAccelerators(options, kCpu), "choose the CPU");
    char* how = strdup(("num_threads = " + std::to_string(threads) + "\n").c_str());
    LiteRtOpaqueOptions xnnpack;
    check(LiteRtCreateOpaqueOptions("xnnpack", how, std::free, &xnnpack), "set options");
    check(LiteRtAddOpaqueOptions(options, xnnpack), "set options");
    check(LiteRtCreateCompiledModel(environment_, model, options, &compiled_), "compile " + path);
    bind(model);
    for (const char* name : {"small", "state", "controls", "bokeh", "focus", "next_state"})
      if (!place_.count(name)) throw std::runtime_error(path + " has no tensor " + name);
    if (types_["small"].element_type != kUint8)
      throw std::runtime_error(path + " does not take uint8; export it with --precision int8");
    height = types_["small"].dimensions[1];
    width = types_["small"].dimensions[2];
    write("state", std::vector<float>(size_t(height) * width * 8));  // no frame before
  }

  // Strength and smoothing, each 0 to 1.
  void control(float strength, float smoothing) {
    write("controls", std::vector<float>{strength, smoothing});
  }

  // small, bokeh: RGB [height, width, 3]; focus: 0 to 1 [height, width].
  void render(const std::vector<uint8_t>& small, std::vector<uint8_t>& bokeh,
              std::vector<float>& focus) {
    write("small", small);
    check(LiteRtRunCompiledModel(compiled_, 0, inputs_.size(), inputs_.data(), outputs_.size(),
                                 outputs_.data()), "run the model");
    read("bokeh", bokeh);
    read("focus", focus);
    std::swap(buffer("state"), buffer("next_state"));  // no copy: the next frame reads this one's
  }

 private:
  static constexpr int kUint8 = 3;
  LiteRtEnvironment environment_;
  LiteRtCompiledModel compiled_;
  std::vector<LiteRtTensorBuffer> inputs_, outputs_;
  std::map<std::string, std::pair<bool, size_t>> place_;  // an output, its index
  std::map<std::string, LiteRtRankedTensorType> types_;

  static void check(LiteRtStatus status, const std::string& what) {
    if (status) throw std::runtime_error("LiteRT cannot " + what + " (" + std::to_string(status) + ")");
  }

  LiteRtTensorBuffer& buffer(const std::string& name) {
    const auto& [output, index] = place_.at(name);
    return (output ? outputs_ : inputs_)[index];
  }

  void bind(LiteRtModel model) {
    LiteRtSignature signature;
    check(LiteRtGetModelSignature(model, 0, &signature), "find the signature");
    for (bool output : {false, true}) {
      LiteRtParamIndex count;
      check((output ? LiteRtGetNumSignatureOutputs : LiteRtGetNumSignatureInputs)(signature, &count),
            "count tensors");
      for (LiteRtParamIndex i = 0; i < count; ++i) {
        const char* name;
        LiteRtTensor tensor;
        LiteRtRankedTensorType type;
        LiteRtTensorBufferRequirements needs;
        LiteRtTensorBuffer made;
        check((output ? LiteRtGetSignatureOutputName : LiteRtGetSignatureInputName)(
                  signature, i, &name), "name a tensor");
        check((output ? LiteRtGetSignatureOutputTensorByIndex : LiteRtGetSignatureInputTensorByIndex)(
                  signature, i, &tensor), "find a tensor");
        check(LiteRtGetRankedTensorType(tensor, &type), "type a tensor");
        check((output ? LiteRtGetCompiledModelOutputBufferRequirements
                      : LiteRtGetCompiledModelInputBufferRequirements)(compiled_, 0, i, &needs),
              "size a tensor");
        check(LiteRtCreateManagedTensorBufferFromRequirements(environment_, &type, needs, &made),
              "make a tensor");
        (output ? outputs_ : inputs_).push_back(made);
        place_[name] = {output, i};
        types_[name] = type;
      }
    }
  }

  template <class T>
  void write(const char* name, const std::vector<T>& values) {
    void* memory;
    check(LiteRtLockTensorBuffer(buffer(name), &memory, 1), "write a tensor");
    std::memcpy(memory, values.data(), values.size() * sizeof(T));
    check(LiteRtUnlockTensorBuffer(buffer(name)), "write a tensor");
  }

  template <class T>
  void read(const char* name, std::vector<T>& values) {
    void* memory;
    values.resize(size_t(height) * width * (sizeof(T) == 1 ? 3 : 1));
    check(LiteRtLockTensorBuffer(buffer(name), &memory, 0), "read a tensor");
    std::memcpy(values.data(), memory, values.size() * sizeof(T));
    check(LiteRtUnlockTensorBuffer(buffer(name)), "read a tensor");
  }
};
