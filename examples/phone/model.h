// A core made by `realtime-bokeh export tflite --core`, with uint8 pictures, run by LiteRT on the CPU.
#pragma once

#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#ifndef LITERT_HEADERS  // defined by who includes LiteRT's own before this
#include "litert.h"
#endif

class Model {
 public:
  int height = 0, width = 0;  // at which it renders
  int finer = 1;              // how many times finer, across, is the picture that it takes

  Model(const std::string& path, int threads) {
    constexpr int kErrors = 3;
    LiteRtEnvOption quiet{};
    quiet.tag = kLiteRtEnvOptionTagMinLoggerSeverity;
    quiet.value.type = kLiteRtAnyTypeInt;
    quiet.value.int_value = kErrors;
    check(LiteRtCreateEnvironment(1, &quiet, &environment_), "start LiteRT");
    check(LiteRtCreateModelFromFile(environment_, path.c_str(), &model_), "read " + path);
    LiteRtOptions options;
    check(LiteRtCreateOptions(&options), "set options");
    check(LiteRtSetOptionsHardwareAccelerators(options, kLiteRtHwAcceleratorCpu), "choose the CPU");
    char* how = strdup(("num_threads = " + std::to_string(threads) + "\n").c_str());
    LiteRtOpaqueOptions xnnpack;
    check(LiteRtCreateOpaqueOptions("xnnpack", how, std::free, &xnnpack), "set options");
    check(LiteRtAddOpaqueOptions(options, xnnpack), "set options");
    check(LiteRtCreateCompiledModel(environment_, model_, options, &compiled_), "compile " + path);
    LiteRtDestroyOptions(options);
    bind();
    for (const char* name : {"small", "state", "controls", "bokeh", "focus", "next_state"})
      if (!place_.count(name))
        throw std::runtime_error(path + " has no tensor " + name + "; export it with --core");
    const LiteRtRankedTensorType& type = types_["small"];
    if (type.element_type != kLiteRtElementTypeUInt8)
      throw std::runtime_error(path + " takes floats; export it with --precision int8");
    const LiteRtRankedTensorType& rendering = types_["bokeh"];
    height = rendering.layout.dimensions[1];
    width = rendering.layout.dimensions[2];
    finer = type.layout.dimensions[1] / height;
    reset();
  }

  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  ~Model() {
    for (auto* buffers : {&inputs_, &outputs_})
      for (LiteRtTensorBuffer buffer : *buffers) LiteRtDestroyTensorBuffer(buffer);
    if (compiled_) LiteRtDestroyCompiledModel(compiled_);
    if (model_) LiteRtDestroyModel(model_);
    if (environment_) LiteRtDestroyEnvironment(environment_);
  }

  // Forgets the frames before: at the start, and when the camera changes.
  void reset() { write("state", std::vector<float>(size_t(height) * width * 8)); }

  // Strength and smoothing, each 0 to 1.
  void control(float strength, float smoothing) {
    write("controls", std::vector<float>{strength, smoothing});
  }

  // small: RGB [finer height, finer width, 3]; bokeh: [height, width, 3]; focus: 0 to 1.
  void render(const std::vector<uint8_t>& small, std::vector<uint8_t>& bokeh,
              std::vector<float>& focus) {
    write("small", small);
    check(LiteRtRunCompiledModel(compiled_, 0, inputs_.size(), inputs_.data(), outputs_.size(),
                                 outputs_.data()),
          "run the model");
    bokeh.resize(size_t(height) * width * 3);
    focus.resize(size_t(height) * width);
    read("bokeh", bokeh);
    read("focus", focus);
    std::swap(buffer("state"), buffer("next_state"));  // no copy: the next frame reads this one's
  }

 private:
  LiteRtEnvironment environment_ = nullptr;
  LiteRtModel model_ = nullptr;
  LiteRtCompiledModel compiled_ = nullptr;
  std::vector<LiteRtTensorBuffer> inputs_, outputs_;
  std::map<std::string, std::pair<bool, size_t>> place_;  // an output, its index
  std::map<std::string, LiteRtRankedTensorType> types_;

  static void check(LiteRtStatus status, const std::string& what) {
    if (status != kLiteRtStatusOk)
      throw std::runtime_error("LiteRT cannot " + what + " (" + std::to_string(int(status)) + ")");
  }

  LiteRtTensorBuffer& buffer(const std::string& name) {
    const auto& [output, index] = place_.at(name);
    return (output ? outputs_ : inputs_)[index];
  }

  void bind() {
    LiteRtSignature signature;
    check(LiteRtGetModelSignature(model_, 0, &signature), "find the signature");
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
    check(LiteRtLockTensorBuffer(buffer(name), &memory, kLiteRtTensorBufferLockModeWrite),
          "write a tensor");
    std::memcpy(memory, values.data(), values.size() * sizeof(T));
    check(LiteRtUnlockTensorBuffer(buffer(name)), "write a tensor");
  }

  template <class T>
  void read(const char* name, std::vector<T>& values) {
    void* memory;
    check(LiteRtLockTensorBuffer(buffer(name), &memory, kLiteRtTensorBufferLockModeRead),
          "read a tensor");
    std::memcpy(values.data(), memory, values.size() * sizeof(T));
    check(LiteRtUnlockTensorBuffer(buffer(name)), "read a tensor");
  }
};
