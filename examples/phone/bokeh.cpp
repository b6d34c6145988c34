// Background blur of a video by a TFLite model and LiteRT's C API, without Python:
//
//     ffmpeg -i in.mp4 -pix_fmt yuv420p -f yuv4mpegpipe - | ./bokeh MODEL.tflite [STRENGTH] > out.y4m
//
// YUV4MPEG2 in and out, 4:2:0, as cameras of phones give it (YUV_420_888): brightness and colour are
// shrunk for the network as they are, and its rendering and focus are recomposed plane by plane.

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <exception>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "model.h"

constexpr int kThreads = 2;
constexpr float kSmoothing = 0.5f;

struct Mistake : std::runtime_error {  // the user's
  using std::runtime_error::runtime_error;
};

struct Plane {
  int height = 0, width = 0;
  std::vector<uint8_t> values;
  void resize(int h, int w) { height = h, width = w, values.resize(size_t(h) * w); }
};

using Picture = std::array<Plane, 3>;  // Y, U, V

// Where each output lies among the inputs: two of them and the share of the second.
struct Tap {
  int first, second;
  float share;
};

std::vector<Tap> taps(int small, int large) {
  std::vector<Tap> all;
  for (int i = 0; i < large; ++i) {
    float place = std::clamp((i + 0.5f) * small / large - 0.5f, 0.f, small - 1.f);
    int first = int(place);
    all.push_back({first, std::min(first + 1, small - 1), place - first});
  }
  return all;
}

// One row of `small` [.., width] enlarged bilinearly; `mixed` has room for `width` values.
template <class T>
void enlarge_row(const T* small, int width, const Tap& y, const std::vector<Tap>& across,
                 std::vector<float>& mixed, float* row) {
  const T *upper = small + size_t(y.first) * width, *lower = small + size_t(y.second) * width;
  for (int x = 0; x < width; ++x) mixed[x] = upper[x] + y.share * (float(lower[x]) - upper[x]);
  for (size_t x = 0; x < across.size(); ++x) {
    const Tap& tap = across[x];
    row[x] = mixed[tap.first] + tap.share * (mixed[tap.second] - mixed[tap.first]);
  }
}

// Shrinking: means of the pixels that a smaller one covers, or bilinear where it is no smaller.
void shrink(const Plane& plane, int height, int width, std::vector<float>& small) {
  small.assign(size_t(height) * width, 0);
  if (plane.height < height || plane.width < width) {
    auto down = taps(plane.height, height), across = taps(plane.width, width);
    std::vector<float> mixed(plane.width);
    for (int y = 0; y < height; ++y)
      enlarge_row(plane.values.data(), plane.width, down[y], across, mixed, &small[size_t(y) * width]);
    return;
  }
  // pixel by pixel of the larger: its share of one smaller pixel, and what is left to the next
  auto spread = [](int i, int large, int smaller, int& at, float& share) {
    float begin = float(i) * smaller / large, end = float(i + 1) * smaller / large;
    at = int(begin + 1e-4f);
    share = std::min(1.f, (at + 1 - begin) / (end - begin));
  };
  std::vector<int> column(plane.width);
  std::vector<float> share(plane.width), row(width + 1);
  for (int x = 0; x < plane.width; ++x) spread(x, plane.width, width, column[x], share[x]);
  const float area = float(height) * width / (float(plane.height) * plane.width);
  for (int y = 0; y < plane.height; ++y) {
    std::fill(row.begin(), row.end(), 0.f);
    const uint8_t* values = &plane.values[size_t(y) * plane.width];
    for (int x = 0; x < plane.width; ++x) {
      row[column[x]] += share[x] * values[x];
      row[column[x] + 1] += (1 - share[x]) * values[x];
    }
    int at;
    float part;
    spread(y, plane.height, height, at, part);
    for (int x = 0; x < width; ++x) {
      small[size_t(at) * width + x] += area * part * row[x];
      if (at + 1 < height) small[size_t(at + 1) * width + x] += area * (1 - part) * row[x];
    }
  }
}

// Colours of a small picture: BT.709 for high definition, else BT.601.
class Colours {
 public:
  Colours(bool high, bool full) : full_(full) {
    red_ = high ? 0.2126f : 0.299f;
    blue_ = high ? 0.0722f : 0.114f;
  }

  void to_rgb(const std::array<std::vector<float>, 3>& yuv, std::vector<uint8_t>& rgb) const {
    const float green = 1 - red_ - blue_;
    for (size_t i = 0; i < yuv[0].size(); ++i) {
      float y = full_ ? yuv[0][i] : (yuv[0][i] - 16) * (255 / 219.f);
      float scale = full_ ? 1 : 255 / 224.f;
      float u = (yuv[1][i] - 128) * scale, v = (yuv[2][i] - 128) * scale;
      float r = y + 2 * (1 - red_) * v, b = y + 2 * (1 - blue_) * u;
      float values[3] = {r, (y - red_ * r - blue_ * b) / green, b};
      for (int c = 0; c < 3; ++c)
        rgb[3 * i + c] = uint8_t(std::clamp(values[c] + 0.5f, 0.f, 255.f));
    }
  }

  void from_rgb(const std::vector<uint8_t>& rgb, std::array<std::vector<float>, 3>& yuv) const {
    for (size_t i = 0; i < yuv[0].size(); ++i) {
      float r = rgb[3 * i], g = rgb[3 * i + 1], b = rgb[3 * i + 2];
      float y = red_ * r + (1 - red_ - blue_) * g + blue_ * b;
      float scale = full_ ? 1 : 224 / 255.f;
      yuv[0][i] = full_ ? y : 16 + y * (219 / 255.f);
      yuv[1][i] = 128 + scale * (b - y) / (2 * (1 - blue_));
      yuv[2][i] = 128 + scale * (r - y) / (2 * (1 - red_));
    }
  }

 private:
  bool full_;
  float red_, blue_;
};

// Focus falls from 1 to 0 within a pixel or two, and is enlarged as a logit: interpolated as it is,
// it would make a stair of a slanting edge. Back from a logit to focus by a table.
class Logits {
 public:
  Logits() {
    for (int i = 0; i < kSteps; ++i) {
      const float logit = kMost * (2.f * i / (kSteps - 1) - 1);
      focus_[i] = (1 / (1 + std::exp(-logit)) - kEnd) / (1 - 2 * kEnd);
    }
  }

  // Focus in [0, 1] to places in the table.
  void places(const std::vector<float>& focus, std::vector<float>& places) const {
    places.resize(focus.size());
    for (size_t i = 0; i < focus.size(); ++i) {
      const float share = kEnd + (1 - 2 * kEnd) * std::clamp(focus[i], 0.f, 1.f);
      places[i] = (std::log(share / (1 - share)) / kMost + 1) * ((kSteps - 1) / 2.f);
    }
  }

  float focus(float place) const { return focus_[std::clamp(int(place + 0.5f), 0, kSteps - 1)]; }

 private:
  static constexpr float kEnd = 0.01f;  // logits have none: so near to 0 and 1 they stop
  static constexpr int kSteps = 1024;
  const float kMost = std::log((1 - kEnd) / kEnd);
  std::array<float, kSteps> focus_;
};

// up(bokeh) + up(focus) * (plane - up(bokeh)), in place; focus comes as places in `logits`.
void recompose(Plane& plane, const std::vector<float>& bokeh, const std::vector<float>& places,
               const Logits& logits, int height, int width) {
  auto down = taps(height, plane.height), across = taps(width, plane.width);
  std::vector<float> mixed(width), blurred(plane.width), place(plane.width);
  for (int y = 0; y < plane.height; ++y) {
    enlarge_row(bokeh.data(), width, down[y], across, mixed, blurred.data());
    enlarge_row(places.data(), width, down[y], across, mixed, place.data());
    uint8_t* row = &plane.values[size_t(y) * plane.width];
    for (int x = 0; x < plane.width; ++x) {
      const float focus = logits.focus(place[x]);
      row[x] = uint8_t(std::min(255.f, blurred[x] + focus * (row[x] - blurred[x]) + 0.5f));
    }
  }
}

// A line of the input; false at its end.
bool read_line(std::string& line) {
  line.clear();
  int c = std::getchar();
  if (c == EOF) return false;
  for (; c != EOF && c != '\n' && line.size() < 1000; c = std::getchar()) line += char(c);
  return true;
}

int number(const std::string& text) {
  char* end;
  const long value = std::strtol(text.c_str(), &end, 10);
  return *end || value < 16 || value > 16384 ? 0 : int(value);
}

// The header of a video: sizes the picture; gives whether its values fill the bytes.
bool parse(const std::string& header, Picture& picture) {
  std::istringstream words(header);
  std::string word, chroma = "420jpeg";
  int width = 0, height = 0;
  bool full = false;
  words >> word;
  if (word != "YUV4MPEG2")
    throw Mistake("the input is no YUV4MPEG2 video (ffmpeg -f yuv4mpegpipe makes one)");
  while (words >> word) {
    if (word[0] == 'W') width = number(word.substr(1));
    if (word[0] == 'H') height = number(word.substr(1));
    if (word[0] == 'C') chroma = word.substr(1);
    if (word == "XCOLORRANGE=FULL") full = true;
  }
  if (chroma != "420" && chroma != "420jpeg" && chroma != "420mpeg2" && chroma != "420paldv")
    throw Mistake("the input is " + chroma + ", not 4:2:0 of 8 bits (ffmpeg -pix_fmt yuv420p)");
  if (!width || !height) throw Mistake("the input has no size between 16 and 16384");
  picture[0].resize(height, width);
  for (int c : {1, 2}) picture[c].resize((height + 1) / 2, (width + 1) / 2);
  return full;
}

std::string size(int width, int height) {
  return std::to_string(width) + "x" + std::to_string(height);
}

// The network has seen nothing squeezed; a rounding to multiples of 16 does no harm.
void check_shape(const Plane& plane, const Model& model) {
  const float ratio = float(plane.width) * model.height / (float(plane.height) * model.width);
  if (ratio < 0.85f || ratio > 1.18f)
    throw Mistake("the video is " + size(plane.width, plane.height) + ", of another shape than the " +
                  "model's " + size(model.width, model.height) + "; export a model of its shape");
}

void write(const void* bytes, size_t count) {
  if (std::fwrite(bytes, 1, count, stdout) != count)
    throw std::runtime_error(std::string("cannot write the output: ") + std::strerror(errno));
}

int run(const std::string& path, float strength) {
  using Clock = std::chrono::steady_clock;
  Picture picture;
  std::string header, mark;
  read_line(header);
  const bool full = parse(header, picture);
  Model model(path, kThreads);
  check_shape(picture[0], model);
  model.control(strength, kSmoothing);
  const int height = model.height, width = model.width;
  const int seen_height = model.finer * height, seen_width = model.finer * width;
  const Colours colours(picture[0].height > 576, full);
  std::array<std::vector<float>, 3> small, rendered;
  for (auto& plane : rendered) plane.resize(size_t(height) * width);
  std::vector<uint8_t> rgb(size_t(seen_height) * seen_width * 3), bokeh;
  std::vector<float> focus, places;
  const Logits logits;
  header += '\n';
  write(header.data(), header.size());
  int frames = 0;
  double network = 0, all = 0;
  auto seconds = [](Clock::time_point since) {
    return std::chrono::duration<double>(Clock::now() - since).count();
  };
  for (; read_line(mark); ++frames) {
    if (mark != "FRAME" && mark.rfind("FRAME ", 0) != 0)
      throw std::runtime_error("the input is damaged after frame " + std::to_string(frames));
    for (Plane& plane : picture)
      if (std::fread(plane.values.data(), 1, plane.values.size(), stdin) != plane.values.size())
        throw std::runtime_error("the input ends within frame " + std::to_string(frames + 1));
    const auto begin = Clock::now();
    for (int c = 0; c < 3; ++c) shrink(picture[c], seen_height, seen_width, small[c]);
    colours.to_rgb(small, rgb);
    const auto before = Clock::now();
    model.render(rgb, bokeh, focus);
    network += seconds(before);
    colours.from_rgb(bokeh, rendered);
    logits.places(focus, places);
    for (int c = 0; c < 3; ++c) recompose(picture[c], rendered[c], places, logits, height, width);
    all += seconds(begin);
    mark += '\n';
    write(mark.data(), mark.size());
    for (Plane& plane : picture) write(plane.values.data(), plane.values.size());
  }
  if (std::fflush(stdout))
    throw std::runtime_error(std::string("cannot write the output: ") + std::strerror(errno));
  if (!frames) throw Mistake("the input has no frames");
  std::fprintf(stderr, "%d frames, %.1f ms each (network %.1f ms)\n", frames, all / frames * 1e3,
               network / frames * 1e3);
  return 0;
}

int main(int count, char** arguments) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed output is a failure like any other
  try {
    float strength = 1;
    if (count == 3) {
      char* end;
      strength = std::strtof(arguments[2], &end);
      if (*end || end == arguments[2] || !(strength >= 0 && strength <= 1))
        throw Mistake(std::string("strength ") + arguments[2] + " is not a number from 0 to 1");
    } else if (count != 2) {
      throw Mistake("usage: bokeh MODEL.tflite [STRENGTH] < IN.y4m > OUT.y4m");
    }
    return run(arguments[1], strength);
  } catch (const Mistake& mistake) {
    std::fprintf(stderr, "bokeh: %s\n", mistake.what());
    return 2;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "bokeh: %s\n", failure.what());
    return 1;
  }
}
