#include "host/plugins/scaffold.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <string_view>

#include "host/files/new_file.hpp"
#include "host/text/printable.hpp"
#include "host/text/text.hpp"
#include "mixop/error.hpp"

namespace mixop {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestName = 64;

constexpr std::string_view kCMakeLists = R"(cmake_minimum_required(VERSION 3.25)
project(@target@ LANGUAGES C CXX)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_package(mixop REQUIRED)
mixop_add_plugin(NAME @name@ SOURCES @file@.cpp KINDS operator TIER native)

enable_testing()
add_test(NAME check COMMAND $<TARGET_FILE:mixop::program> plugins check $<TARGET_FILE:@name@>)
)";

constexpr std::string_view kSource = R"(#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>

#include "mixop/module_operator.hpp"
#include "mixop/plugin.hpp"

namespace {

// ReLU, 3x3 convolution, batch norm: [N, in, H, W] to [N, out, ceil(H / stride), ceil(W / stride)].
struct @class@ : torch::nn::Module {
  explicit @class@(const mixop::OpSpec& spec)
      : conv(torch::nn::Conv2dOptions(spec.in, spec.out, 3).stride(spec.stride).padding(1).bias(false)),
        norm(torch::nn::BatchNorm2dOptions(spec.out).affine(spec.affine)) {
    register_module("conv", conv);
    register_module("norm", norm);
  }
  at::Tensor forward(const at::Tensor& x) { return norm(conv(at::relu(x))); }

  torch::nn::Conv2d conv;
  torch::nn::BatchNorm2d norm;
};

}  // namespace

MIXOP_PLUGIN("@name@", "0.1.0", "ReLU, 3x3 convolution and batch norm.", mixop::module_operator<@class@>("@name@"));
)";

constexpr std::string_view kReadme = R"(# @name@

An operator for mixop's searches, in `@file@.cpp`.

Build it and try it (shapes, gradients, determinism, state):

    cmake -S . -B build -DCMAKE_PREFIX_PATH=/path/to/mixop
    cmake --build build
    ctest --test-dir build --output-on-failure

Let a search choose it:

    mixop search quick --plugin-dir build/lib/mixop/plugins --set space.ops=+@name@ --out run.h5
)";

bool is_word(const std::string& word) {
  return !word.empty() && word[0] >= 'a' && word[0] <= 'z' && std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::vector<std::string> words_of(const std::string& name) {
  const auto refuse = [&](const std::string& problem) {
    throw Error(ErrorCode::usage, "plugins new: the name '" + excerpt(name, 200) + "' " + problem +
                                      "; expected your name and the operator's in lower case, such as acme.ghost_conv");
  };
  if (name.size() > kLongestName) refuse("is longer than " + std::to_string(kLongestName) + " characters");
  const std::vector<std::string> words = split(name, '.');
  if (words.size() < 2) refuse("has no dot");
  if (joined(words, ".") != name || !std::all_of(words.begin(), words.end(), is_word))
    refuse("has other characters than a-z, 0-9 and '_', or a part that does not begin with a letter");
  if (words[0] == "mixop") refuse("begins with 'mixop', which is kept for mixop's own plugins");
  return words;
}

// "ghost_conv" as "GhostConv".
std::string class_name(const std::string& word) {
  std::string name;
  bool upper = true;
  for (const char c : word) {
    if (c != '_') name += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = c == '_';
  }
  return name;
}

std::string filled(std::string_view text, const std::map<std::string, std::string>& values) {
  std::string result(text);
  for (const auto& [key, value] : values) {
    const std::string mark = "@" + key + "@";
    for (auto place = result.find(mark); place != std::string::npos; place = result.find(mark, place + value.size()))
      result.replace(place, mark.size(), value);
  }
  return result;
}

void write(const fs::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  out.close();
  if (!out) throw Error(ErrorCode::failed, file.string() + ": cannot be written");
}

}  // namespace

void write_operator_project(const std::string& name, const fs::path& folder) {
  const std::vector<std::string> words = words_of(name);
  if (fs::symlink_status(folder).type() != fs::file_type::not_found)
    throw Error(ErrorCode::usage, "plugins new: " + folder.string() + " exists; name another folder with --out");
  std::string target = name;
  std::replace(target.begin(), target.end(), '.', '_');
  const std::map<std::string, std::string> values = {
      {"name", name}, {"target", target}, {"file", words.back()}, {"class", class_name(words.back())}};

  if (folder.empty()) throw Error(ErrorCode::usage, "plugins new: an empty name is no folder; name one with --out");
  const fs::path partial = temporary_name(folder);
  try {
    if (folder.has_parent_path()) fs::create_directories(folder.parent_path());
    if (!fs::create_directory(partial)) throw Error(ErrorCode::failed, partial.string() + " is there already");
    write(partial / "CMakeLists.txt", filled(kCMakeLists, values));
    write(partial / (words.back() + ".cpp"), filled(kSource, values));
    write(partial / "README.md", filled(kReadme, values));
    fs::rename(partial, folder);
  } catch (const std::exception& error) {
    std::error_code ignored;
    fs::remove_all(partial, ignored);
    throw Error(ErrorCode::failed, "plugins new: " + folder.string() + " cannot be written: " + error.what());
  }
}

}  // namespace mixop
